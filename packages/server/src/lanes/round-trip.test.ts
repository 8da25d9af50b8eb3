import { findBadText, rowTables } from "@threadmill/core";
import { conversationRow, customerRow, messageRow, storedRow } from "@threadmill/core/testing";
import fc from "fast-check";
import type { PoolClient } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { transaction } from "../db/transaction.ts";
import { freshId } from "./fresh-id.ts";
import { load, LoadedWorld } from "./loader.ts";
import { testLanes, type TestEngine, type TestLanes } from "./test-lanes.ts";
import { narrowUpdates, write } from "./statements.ts";
import { type WorldTable, type WorldTableName, worldTables } from "./tables.ts";
import { BatchWriter, LaneWriter } from "./writer.ts";

let lanes: TestLanes;
let engine: TestEngine;
beforeAll(async () => {
  lanes = await testLanes();
  engine = lanes.engine();
});
afterAll(() => lanes.close());

const lane = 321;
const texts = [
  '"quoted" \\ and \\u0041',
  "emoji 👩‍👩‍👧 ß ﷽",
  "line\nbreak\ttab\r",
  "null",
  "{}",
  "[1,2]",
  "{a,b}",
  "",
  "\u0001\u007f\u2028",
  "NULL",
];
let drawn = 0;
const text = () => texts[drawn++ % texts.length] as string;
const json = (type: string) =>
  type === "json"
    ? [{ step: text(), output: { deep: [1, null, { [text()]: text() }] } }]
    : { [text()]: [text(), 1.5, true, null, { x: [] }] };

/** A value of a column's type that is easy to get wrong. */
function value(type: string): unknown {
  if (type === "uuid") return freshId();
  if (type === "text") return text();
  if (type === "text[]") return [text(), text(), text(), 'a"b', "a,b", " spaced "];
  if (type === "uuid[]") return [freshId(), freshId()];
  if (type === "timestamptz") return "2026-11-20T17:00:00.007Z";
  if (type === "boolean") return drawn++ % 2 === 0;
  if (type === "integer") return (drawn += 1);
  if (type === "bigint") return 9_007_199_254_740_991;
  return json(type);
}

const nullable = async (name: string) =>
  new Set(
    (
      await lanes.rows<{ column_name: string }>(
        "select column_name from information_schema.columns where table_name = $1 and is_nullable = 'YES'",
        [name],
      )
    ).map((row) => row.column_name),
  );

const inTransaction = <T>(fn: (client: PoolClient) => Promise<T>) => transaction(engine.pool, fn);
const loaded = async (organization: string, names: string[]) => {
  const world = new LoadedWorld({ lane, organization });
  await inTransaction((client) => load(client, new Map([[world, names]])));
  return world;
};
/** From how many rows of a table on they go in by COPY: never, unless a test says so. */
let copyFrom = Infinity;
const store = (world: LoadedWorld, writes: Map<string, unknown>) =>
  inTransaction(async (client) => {
    const writer = new BatchWriter(client);
    const own = new LaneWriter(writer, lane, { lastSeq: 0, at: "2026-11-20T17:00:00.000Z" });
    await own.add(world, { writes, events: [], receipts: [], poisoned: [] });
    await writer.flush(copyFrom);
    await Promise.all(writer.sent);
  });

/** What the shell gives a row when it is made, whatever the mill says. */
const shells: Record<string, string> = { messages: "seq", effects: "ordinal" };

const tables = rowTables.filter((name): name is Exclude<WorldTableName, "runs_history"> => name in worldTables);

const ways = [
  { by: "parameters", from: Infinity },
  { by: "COPY", from: 1 },
];

test.each(tables.flatMap((name) => ways.map((way) => ({ name, ...way }))))(
  "$name by $by: every field of every kind survives insert, load, update and delete",
  async ({ name, from }) => {
    copyFrom = from;
    const organization = freshId();
    const table = worldTables[name];
    const entries = Object.entries(table.columns as Record<string, string>).filter(
      ([column]) => column !== shells[name],
    );
    const full = () => Object.fromEntries(entries.map(([column, type]) => [column, value(type)]));
    const mayBeNull = await nullable(name);
    const bare = () =>
      Object.fromEntries(
        entries.map(([column, type]) => [
          column,
          mayBeNull.has(column) ? null : type.endsWith("[]") ? [] : value(type),
        ]),
      );
    const rows: Record<string, unknown>[] = [full(), full(), bare()].map((row) => ({
      ...row,
      ...(name === "runs" && { status: "waiting" }),
    }));
    const keys = rows.map((row) => `${name}/${String(row[table.id])}`);
    const without = (row: unknown) => {
      const { [shells[name] ?? ""]: _, ...rest } = row as Record<string, unknown>;
      return rest;
    };

    await store(await loaded(organization, keys), new Map(keys.map((key, n) => [key, rows[n]])));
    const first = await loaded(organization, keys);
    keys.forEach((key, n) => expect(without(first.get(key))).toEqual(rows[n]));

    // what is fixed when a row is made stays; the rest takes the other's values
    const changed = {
      ...(first.get(keys[0] as string) as object),
      ...Object.fromEntries(
        Object.entries(rows[2] as object).filter(([column]) =>
          ["tags", "properties", "status", "due_at", "open", "customer", "since"].includes(column),
        ),
      ),
    };
    await store(
      first,
      new Map<string, unknown>([
        [keys[0] as string, changed],
        [keys[1] as string, null],
      ]),
    );
    const second = await loaded(organization, keys);
    expect(second.get(keys[0] as string)).toEqual(changed);
    expect(second.get(keys[1] as string)).toBeNull();
    expect(without(second.get(keys[2] as string))).toEqual(rows[2]);

    // another organization's world does not know them
    const other = await loaded(freshId(), keys);
    expect(keys.map((key) => other.get(key))).toEqual([null, null, null]);
  },
);

test("rows come back as the mill's own tests take them to: the same columns, and members in the same order (MILL law 1)", async () => {
  copyFrom = Infinity;
  const organization = freshId();
  const storable = (data: unknown) => findBadText(data) === null;
  const names = fc.oneof(fc.string({ unit: "binary", maxLength: 5 }), fc.nat(30).map(String));
  const object = fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true }).filter(storable);
  const data = fc.sample(object, 60);
  const rows = tables.flatMap((name) => {
    const { columns, id } = worldTables[name] as WorldTable;
    const jsons = Object.keys(columns).filter((column) => columns[column] === "jsonb");
    return data.slice(0, jsons.length === 0 ? 1 : undefined).map((value_, n) => {
      const entries = Object.entries(columns).filter(([column]) => column !== shells[name]);
      const plain = Object.fromEntries(entries.map(([column, type]) => [column, value(type)]));
      const given = Object.fromEntries(jsons.map((column, at) => [column, data[(n + at) % data.length] ?? value_]));
      const row = { ...plain, ...given, ...(name === "runs" && { status: "waiting" }) } as Record<string, unknown>;
      return { name: `${name}/${String(row[id])}`, row };
    });
  });
  await store(new LoadedWorld({ lane, organization }), new Map(rows.map(({ name, row }) => [name, row])));
  const back = await loaded(
    organization,
    rows.map(({ name }) => name),
  );
  for (const { name, row } of rows) {
    const expected = storedRow(name, row) as Record<string, unknown>;
    const found = back.get(name) as Record<string, unknown>;
    expect(Object.keys(found).toSorted()).toEqual(Object.keys(expected).toSorted());
    for (const column of Object.keys(expected))
      expect(JSON.stringify(found[column])).toBe(JSON.stringify(expected[column]));
  }
});

test("a row that is new in a batch has the columns that it is loaded with later: even how many there are can be read", () => {
  const [id, conversation, customer, channel, mailbox] = Array.from({ length: 5 }, freshId) as [string, ...string[]];
  const made = {
    customers: customerRow({ id }),
    conversations: conversationRow({ id, customer, channel, mailbox, address: "+1" } as never),
    messages: messageRow({ id, conversation, customer, channel, direction: "inbound" } as never),
  };
  for (const [name, row] of Object.entries(made)) {
    const columns = Object.keys(worldTables[name as keyof typeof made].columns);
    expect(Object.keys(row).toSorted()).toEqual(columns.filter((column) => column !== shells[name]).toSorted());
  }
});

test("what was never loaded is taken away and put over what stands there", async () => {
  const organization = freshId();
  const run = freshId();
  const name = `timers/${run}`;
  const row = { run, wait: 1, due_at: "2026-11-20T17:00:00.000Z" };
  await store(new LoadedWorld({ lane, organization }), new Map([[name, row]]));
  await store(new LoadedWorld({ lane, organization }), new Map([[name, { ...row, wait: 2 }]]));
  expect((await loaded(organization, [name])).get(name)).toEqual({ ...row, wait: 2 });
  await store(new LoadedWorld({ lane, organization }), new Map([[name, null]]));
  expect((await loaded(organization, [name])).get(name)).toBeNull();
});

test.each(ways)(
  "a run that finished leaves the live table for the history, steps and all, by $by",
  async ({ from }) => {
    copyFrom = from;
    const organization = freshId();
    const columns = Object.entries(worldTables.runs_history.columns).map(([column, type]) => [column, value(type)]);
    const run: Record<string, unknown> = { ...Object.fromEntries(columns), status: "waiting", finished_at: null };
    const name = `runs/${String(run["id"])}`;
    await store(new LoadedWorld({ lane, organization }), new Map([[name, run]]));
    const done = { ...run, status: "finished", finished_at: new Date().toISOString(), cursor: null, waiting: null };
    await store(await loaded(organization, [name]), new Map([[name, done]]));
    expect((await loaded(organization, [name])).get(name)).toBeNull();
    const [kept] = await lanes.rows("select * from runs_history where organization = $1", [organization]);
    const { lane: _l, organization: _o, ...history } = kept as Record<string, unknown>;
    expect(history).toEqual(done);
  },
);

test("an unreadable text makes the batch fail with its own fault, and the connection lives on", async () => {
  const organization = freshId();
  const write = store(
    new LoadedWorld({ lane, organization }),
    new Map([
      [`addresses/phone:\0`, { customer: freshId() }],
      [`timers/${freshId()}`, { run: freshId(), wait: 1, due_at: "2026-11-20T17:00:00.000Z" }],
    ]),
  );
  await expect(write).rejects.toMatchObject({ code: expect.stringMatching(/^22/) });
  expect((await engine.pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
});

const few = Object.keys(narrowUpdates) as (keyof typeof narrowUpdates)[];
const changes: Record<string, Record<string, unknown>> = {
  messages: { delivery: "failed", delivery_error: "no", provider_id: "P", updated_at: "2026-11-21T10:00:00.000Z" },
  customers: {
    state: "replied",
    open_conversations: 7,
    unreplied_conversations: 8,
    updated_at: "2026-11-21T10:00:00.000Z",
    wake_at: null,
    fired: { w: "2026-11-21T10:00:00.000Z" },
    guards: null,
  },
};

test.each(few)(
  "what changes often of %s is written without the rest, and everything else of it stays",
  async (table) => {
    const organization = freshId();
    const { fits, statement } = narrowUpdates[table] as NonNullable<(typeof narrowUpdates)[typeof table]>;
    const fields = Object.entries(worldTables[table].columns as Record<string, string>).filter(
      ([column]) => column !== shells[table],
    );
    const row = Object.fromEntries(fields.map(([column, type]) => [column, value(type)]));
    const name = `${table}/${String(row["id"])}`;
    copyFrom = Infinity;
    await store(await loaded(organization, [name]), new Map([[name, row]]));
    const world = await loaded(organization, [name]);
    const before = world.get(name) as Record<string, unknown>;
    const change = changes[table] as Record<string, unknown>;
    const news = { ...before, ...change };
    expect(fits(before, news)).toBe(true);
    expect(statement.text.length).toBeLessThan(write[table].update.text.length / 2);
    for (const [column] of fields)
      if (column !== "id" && !(column in change)) expect(fits(before, { ...news, [column]: "other" })).toBe(false);
    await store(world, new Map([[name, news]]));
    expect((await loaded(organization, [name])).get(name)).toEqual(news);
  },
);
