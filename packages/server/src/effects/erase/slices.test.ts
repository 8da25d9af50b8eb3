import type { Outcome } from "@threadmill/core";
import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPool } from "../../db/pool.ts";
import { readServerVersion } from "../../db/server-version.ts";
import { inLaneAlone } from "../../lanes/hold.ts";
import { createTestDatabase, type TestDatabase } from "../../testing/test-database.ts";
import type { Claimed } from "../claim.ts";
import { endEffects } from "./effects.ts";
import { blankLeftover } from "./rest.ts";
import { SweepEnded, sweepOf } from "./sweep.ts";

const lane = 7;
const id = (n: number): string => `01936f2a-0000-7000-8000-${String(n).padStart(12, "0")}`;
const [organization, customer, conversation, run] = [1, 2, 3, 4].map(id) as [string, string, string, string];
const early = "2026-11-01T00:00:00.000Z";
const until = "2026-11-02T00:00:00.000Z";
const late = "2026-11-03T00:00:00.000Z";

let database: TestDatabase;
let pool: Pool;
let lanes: { readonly inLane: ReturnType<typeof inLaneAlone> };
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.url, max: 4 });
  lanes = { inLane: inLaneAlone(pool, await readServerVersion(pool)) };
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const insertEffect = (n: number, fields: Record<string, unknown> = {}) => {
  const row = {
    kind: "message.deliver",
    order_key: `k${n}`,
    payload: '{"text":"Zebulon"}',
    run: null,
    refs: JSON.stringify({ customer }),
    status: "due",
    lease_until: null,
    created_at: early,
    last_error: '{"code":"busy","message":"Zebulon"}',
    ...fields,
  };
  const names = Object.keys(row);
  return pool.query(
    `insert into effects (lane, organization, id, key, due_at, attempt, ordinal, ${names.join(", ")})
values ($1, $2, $3::uuid, $3::uuid::text, '${early}', 2, 1, ${names.map((_, index) => `$${index + 4}`).join(", ")})`,
    [lane, organization, id(n), ...Object.values(row)],
  );
};
const effects = async () =>
  (await pool.query<{ id: string; status: string; payload: object }>("select * from effects order by id")).rows;
const claimed = (n: number, attempt = 2) =>
  ({
    lane,
    organization,
    id: id(n),
    attempt,
    payload: { customer, addresses: ["phone:+15552223344"] },
  }) as unknown as Claimed;

describe("a sweep", () => {
  test("renews its lease with every slice, and ends when another has it or the process goes", async () => {
    await insertEffect(90, { kind: "customer.blank", lease_until: early });
    const going = new AbortController();
    const sweep = sweepOf(pool, lanes, claimed(90), going.signal);
    const leases = async () =>
      (
        await pool.query(
          "select lease_until > clock_timestamp() + interval '50 s' as held from effects where id = $1",
          [id(90)],
        )
      ).rows[0].held;
    expect(await leases()).toBe(false);
    expect(await sweep.inLane(async () => 1)).toBe(1);
    expect(await leases()).toBe(true);
    await pool.query("update effects set lease_until = $2 where id = $1", [id(90), early]);
    expect(await sweep.aside(async () => 2)).toBe(2);
    expect(await leases()).toBe(true);
    await expect(sweepOf(pool, lanes, claimed(90, 1), going.signal).inLane(async () => 1)).rejects.toThrow(SweepEnded);
    going.abort();
    await expect(sweep.aside(async () => 1)).rejects.toThrow(SweepEnded);
  });

  test("takes addresses out of what a slice cut short has read, and leaves as many keys", async () => {
    const reads = ["addresses/phone:+15552223344", `newest/${id(8)}/phone:+15552223344`, `customers/${customer}`];
    await pool.query("insert into leftovers (lane, organization, body, at) values ($1, $2, $3, now())", [
      lane,
      organization,
      JSON.stringify({ root: "r", at: early, minted: 1, spent: 2, reads, queue: [run] }),
    ]);
    const { signal } = new AbortController();
    await blankLeftover(sweepOf(pool, lanes, claimed(90), signal));
    const { rows } = await pool.query<{ body: object }>("delete from leftovers returning body");
    expect(rows[0]?.body).toEqual({
      root: "r",
      at: early,
      minted: 1,
      spent: 2,
      reads: ["addresses/erased:0", "addresses/erased:1", `customers/${customer}`],
      queue: [run],
    });
  });
});

test("effects are settled as failed, but for those in hand, those of others and those asked for since", async () => {
  await pool.query("delete from effects where id <> $1", [id(90)]);
  await insertEffect(10);
  await insertEffect(11, { refs: JSON.stringify({ conversation }) });
  await insertEffect(12, { lease_until: "2100-01-01T00:00:00.000Z" });
  await insertEffect(13, { status: "dead" });
  await insertEffect(14, { created_at: late });
  await insertEffect(15, { refs: JSON.stringify({ customer: id(77) }) });
  const settled: [string, number, Outcome["status"]][] = [];
  const engine = {
    async settle(_: object, { effect, attempt, outcome }: { effect: string; attempt: number; outcome: Outcome }) {
      settled.push([effect, attempt, outcome.status]);
      await pool.query("update effects set status = 'dead' where id = $1", [effect]);
    },
  };
  const sweep = sweepOf(pool, lanes, claimed(90), new AbortController().signal);
  expect(await endEffects(sweep, engine, [conversation], until)).toBe(true);
  expect(settled).toHaveLength(2);
  expect(settled).toEqual(expect.arrayContaining([10, 11].map((n) => [id(n), 2, "failed"])));
  expect((await effects()).map(({ id: n, status, payload }) => [n, status, payload])).toEqual([
    [id(10), "dead", {}],
    [id(11), "dead", {}],
    [id(12), "due", { text: "Zebulon" }],
    [id(13), "dead", {}],
    [id(14), "due", { text: "Zebulon" }],
    [id(15), "due", { text: "Zebulon" }],
    [id(90), "due", { text: "Zebulon" }],
  ]);
  // the worker that had it in hand is done, or was never heard of again
  await pool.query("update effects set lease_until = $2 where id = $1", [id(12), early]);
  expect(await endEffects(sweep, engine, [conversation], until)).toBe(false);
  expect(settled).toHaveLength(3);
});
