import { afterAll, beforeAll, expect, test } from "vitest";
import { openPool } from "../db/pool.ts";
import { systemClock } from "../process/clock.ts";
import { createTestDatabase, type TestDatabase } from "../testing/test-database.ts";
import { createHints } from "./hints.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test("what one process says, the others hear, once for many", async () => {
  const pool = openPool({ url: database.url, max: 2 });
  const abort = new AbortController();
  const heard = { mine: 0, theirs: 0 };
  let tell = (): void => {};
  const told = new Promise<void>((resolve) => (tell = resolve));
  const log = { warn() {}, error() {} };
  const common = { pool, url: database.url, clock: systemClock, random: () => 0.5, log };
  const one = createHints({ ...common, onHint: () => (heard.mine += 1) });
  const other = createHints({
    ...common,
    onHint() {
      heard.theirs += 1;
      tell();
    },
  });
  const running = [one.run(abort.signal), other.run(abort.signal)];
  // both listen once two sessions wait on the channel
  for (let listening = 0; listening < 2;) {
    const { rows } = await pool.query(
      "select count(*)::int as n from pg_stat_activity where query = 'listen threadmill_work' and state = 'idle'",
    );
    listening = rows[0].n;
  }
  for (let n = 0; n < 100; n += 1) one.say();
  await told;
  expect(heard).toEqual({ mine: 0, theirs: 1 });
  abort.abort();
  await Promise.all(running);
  await pool.end();
});
