import { conversationDefaults, customerDefaults, everywhere, nowhere, type Reach, reaches } from "@threadmill/core";
import fc from "fast-check";
import { Kysely, PostgresDialect, type RawBuilder } from "kysely";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Tables } from "../features/tables.ts";
import { createTestDatabase, type TestDatabase } from "../testing/test-database.ts";
import { readableConversations, readableCustomers, readableEvents, readableFamily } from "./readable.ts";
import {
  conversationWithinReach,
  conversationWithinReachText,
  customersWithinReach,
  mayRead,
  runWithinReachText,
  withinReach,
  withinReachText,
} from "./reach.ts";

const idOf = (n: number): string => `0190a000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const place = { lane: 3, organization: idOf(1) };
const mailboxes = [idOf(30), idOf(31), idOf(32)];
const teams = [idOf(20), idOf(21)];
const users = [idOf(10), idOf(11)];
const at = "2026-11-20T17:00:00.000Z";

interface Row {
  readonly id: string;
  readonly customer: string;
  readonly mailbox: string;
  readonly team: string | null;
  readonly assignee: string | null;
  readonly merged_into: string | null;
}

// every standpoint there is, each with a customer of its own; then one merged into another mailbox's, and its customer too
const rows: Row[] = mailboxes
  .flatMap((mailbox) =>
    [null, ...teams].flatMap((team) => [null, ...users].map((assignee) => ({ mailbox, team, assignee }))),
  )
  .map((standpoint, n) => ({ ...standpoint, id: idOf(100 + n), customer: idOf(200 + n), merged_into: null }));
const [first, last] = [rows[0] as Row, rows.at(-1) as Row];
rows.push({ ...first, id: idOf(150), customer: idOf(250), merged_into: last.id });
/** Customers beside those of conversations: merged, untouched, assigned, of a team. */
const others = [
  { id: idOf(260), assignee: null, teams: [] },
  { id: idOf(261), assignee: users[0] as string, teams: [] },
  { id: idOf(262), assignee: null, teams: [teams[0] as string] },
];

let database: TestDatabase;
let pool: Pool;
let db: Kysely<Tables>;

const insert = (table: string, row: object) =>
  pool.query(
    `insert into ${table} (${Object.keys(row).join(", ")}) select ${Object.keys(row).join(", ")} from json_populate_record(null::${table}, $1)`,
    [JSON.stringify(row)],
  );

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url });
  db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const made = { ...place, created_at: at, updated_at: at };
  const channel = { channel: idOf(40), address: "+12025550123" };
  for (const organization of [place.organization, idOf(2)]) {
    for (const row of rows)
      await insert("conversations", { ...conversationDefaults, ...made, ...channel, ...row, organization });
    for (const { customer } of rows) {
      const merged_into = customer === idOf(250) ? idOf(200) : null;
      await insert("customers", { ...customerDefaults, ...made, id: customer, merged_into, organization });
    }
    for (const row of others) await insert("customers", { ...customerDefaults, ...made, ...row, organization });
  }
}, 60_000);

afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const reachOfAnybody: fc.Arbitrary<Reach> = fc.record({
  mailboxes: fc.option(fc.subarray(mailboxes)),
  of: fc.constantFrom("all" as const, "teams" as const, "own" as const),
  user: fc.option(fc.constantFrom(...users)),
  teams: fc.subarray(teams),
});

const found = async (where: RawBuilder<boolean>, table: "conversations" | "customers"): Promise<string[]> => {
  const at = { lane: place.lane, organization: place.organization };
  const query = db
    .selectFrom(table)
    .select("id")
    .where((eb) => eb.and(at))
    .where(where)
    .orderBy("id");
  return (await query.execute()).map(({ id }) => id);
};
const ask = async (text: string, values: unknown[]): Promise<string[]> =>
  (await pool.query<{ id: string }>(`${text} order by id`, values)).rows.map(({ id }) => id);

test("what is read of conversations, customers, runs and events is what memory says", async () => {
  await fc.assert(
    fc.asyncProperty(reachOfAnybody, async (reach) => {
      const own = rows.filter((row) => mayRead(reach, row)).map((row) => row.id);
      expect(await found(withinReach(reach), "conversations")).toEqual(own);
      const values: unknown[] = [place.lane, place.organization];
      const text = `select c.id from conversations c where c.lane = $1 and c.organization = $2${withinReachText(reach, values, "c")}`;
      expect(await ask(text, values)).toEqual(own);

      const thread = rows.filter((row) => reaches(reach, row) || (row.merged_into !== null && reaches(reach, last)));
      const all = rows.map((row) => row.id);
      expect([...(await readableConversations(pool, place, reach, all))].sort()).toEqual(thread.map((row) => row.id));
      const family = await readableFamily(pool, place, reach, last.id);
      expect(family).toEqual(reaches(reach, last) ? [last.id, idOf(150)] : []);

      const customers = await found(customersWithinReach(reach), "customers");
      const known = new Set([...rows.map((row) => row.customer), ...others.map((row) => row.id)]);
      expect([...(await readableCustomers(pool, place, reach, [...known]))].sort()).toEqual(customers);
      expect(customers).toEqual([...known].filter((id) => knows(reach, id)).sort());

      const events = rows.map((row) => ({ refs: { conversation: row.id, customer: row.customer } }));
      const told = await readableEvents(pool, place, reach, [
        ...events,
        { refs: {} },
        { refs: { customer: idOf(260) } },
      ] as never);
      expect(told.length).toBe(
        thread.length + Number(reach.mailboxes === null && reach.of === "all") + Number(knows(reach, idOf(260))),
      );
    }),
    { numRuns: 60 },
  );
}, 120_000);

function knows(reach: Reach, id: string): boolean {
  if (reach.mailboxes === null && reach.of === "all") return true;
  const other = others.find((row) => row.id === id);
  const family = rows.filter((row) => row.customer === id || (id === idOf(200) && row.customer === idOf(250)));
  if (other === undefined) return family.some((row) => reaches(reach, row));
  if (other.assignee !== null && other.assignee === reach.user) return true;
  if (reach.of !== "own" && other.teams.some((team) => reach.teams.includes(team))) return true;
  return reach.of === "all" && reach.mailboxes?.length !== 0;
}

test("what belongs to a conversation, and runs without one, follow them", async () => {
  const reach: Reach = { mailboxes: [mailboxes[0] as string], of: "all", user: users[0] as string, teams: [] };
  const things = [first.id, last.id].map((id, n) => ({ id: idOf(300 + n), conversation: id }));
  for (const thing of things) {
    const { id, conversation } = thing;
    await insert("runs", { ...run, ...place, id, conversation, subject: conversation, customer: last.customer });
  }
  await insert("runs", { ...run, ...place, id: idOf(302), subject: first.customer, customer: first.customer });
  await insert("runs", { ...run, ...place, id: idOf(303), subject: last.customer, customer: last.customer });
  await insert("runs", { ...run, ...place, id: idOf(304), subject: idOf(1) });
  const text = "select id from runs run where run.lane = $1 and run.organization = $2";
  const within = async (make: (values: unknown[]) => string) => {
    const values: unknown[] = [place.lane, place.organization];
    return ask(`${text}${make(values)}`, values);
  };
  expect(await within((values) => runWithinReachText(reach, values))).toEqual([idOf(300), idOf(302)]);
  expect(await within((values) => conversationWithinReachText(reach, values, "run.conversation"))).toEqual([idOf(300)]);
  expect((await within((values) => runWithinReachText(everywhere, values))).length).toBe(5);
  const query = db.selectFrom("runs").select("id").where(conversationWithinReach(reach, "runs.conversation"));
  expect(await query.execute()).toEqual([{ id: idOf(300) }]);
});

const run = {
  workflow: idOf(70),
  version: idOf(71),
  subject_kind: "conversation",
  status: "waiting",
  root: "r",
  trigger: {},
  actor: {},
  depth: 0,
  waits: 0,
  inputs: {},
  steps: [],
  started_at: at,
};

test("an unrestricted reach leaves a statement as it is, and a restricted one compares columns", () => {
  const values: unknown[] = [];
  expect(withinReachText(everywhere, values)).toBe("");
  expect(conversationWithinReachText(everywhere, values, "messages.conversation")).toBe("");
  expect(runWithinReachText(everywhere, values)).toBe("");
  expect(values).toEqual([]);
  expect(withinReach(everywhere).compile(db)).toMatchObject({ sql: "true", parameters: [] });
  expect(withinReachText(nowhere, values)).toBe(" and conversations.mailbox = any($1::uuid[])");
  expect(values).toEqual([[]]);
});
