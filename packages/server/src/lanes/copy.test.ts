import type { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pipelined } from "../db/transaction.ts";
import { copyRows } from "./copy.ts";
import type { Words } from "./words.ts";
import { testLanes, type TestLanes } from "./test-lanes.ts";

let lanes: TestLanes;
let pool: Pool;
beforeAll(async () => {
  lanes = await testLanes();
  ({ pool } = lanes.engine());
});
afterAll(() => lanes.close());

const into = "copy loads (lane, organization, user_id, open) from stdin";
const organization = "00000000-0000-7000-8000-000000000001";
const user = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const line = (n: number): string => `7\t${organization}\t${user(n)}\t${n}\n`;
const lines =
  (...all: readonly string[]) =>
  (words: Words): void =>
    words.text(all.join(""));
const there = async (): Promise<number> =>
  (await lanes.rows<{ n: number }>("select count(*)::int as n from loads where lane = 7"))[0]?.n ?? -1;

test("rows go in behind their statement, between other statements of a pipeline, and are seen by those after it", async () => {
  const seen = await pipelined(pool, async (client) => {
    const before = client.query<{ n: number }>("select count(*)::int as n from loads where lane = 7");
    const copied = copyRows(client, into, lines(line(1), line(2)));
    const after = client.query<{ n: number }>("select count(*)::int as n from loads where lane = 7");
    await copied;
    return { result: [(await before).rows[0]?.n, (await after).rows[0]?.n], sent: [] };
  });
  expect(seen).toEqual([0, 2]);
  expect(await there()).toBe(2);
});

test.each([
  ["a statement that the server refuses", "copy nowhere (a) from stdin", "42P01"],
  ["rows that do not fit", into, "22P02"],
])("%s: the copy rejects, the transaction is rolled back, the connection lives on", async (_name, text, code) => {
  const left = await there();
  const work = pipelined(pool, (client) => {
    const sent = [
      copyRows(client, into, lines(line(left + 100))),
      copyRows(client, text, lines("x\ty\tz\tw\n")),
      client.query("select 1"),
    ];
    for (const each of sent) each.catch(() => {});
    return Promise.resolve({ result: null, sent });
  });
  await expect(work).rejects.toMatchObject({ code });
  expect(await there()).toBe(left);
  expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
});
