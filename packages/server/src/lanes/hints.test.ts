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
  const marks = new Map<string, number>();
  let tell = (): void => {};
  const told = new Promise<void>((resolve) => (tell = resolve));
  const log = { warn() {}, error() {} };
  const common = { pool, url: database.url, clock: systemClock, random: () => 0.5, log };
  const one = createHints({ ...common, onHint: () => (heard.mine += 1), onMarks: () => (heard.mine += 1) });
  const other = createHints({
    ...common,
    onHint() {
      heard.theirs += 1;
      tell();
    },
    onMarks: (told) => told.forEach(({ organization, seq }) => marks.set(organization, seq)),
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

  // how far the log reaches: the last word of each organization, however many there are
  const organizations = Array.from({ length: 250 }, (_, n) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`);
  for (const seq of [1, 2, 3]) one.tell(organizations.map((organization) => ({ lane: 5, organization, seq })));
  await expect.poll(() => marks.size, { timeout: 15_000 }).toBe(250);
  expect(new Set(marks.values())).toEqual(new Set([3]));
  // what another version says is not understood, and does no harm
  await pool.query("select pg_notify('threadmill_work', 'a word of old'), pg_notify('threadmill_work', '{}')");
  one.say();
  await expect.poll(() => heard.theirs, { timeout: 15_000 }).toBe(2);
  expect(heard.mine).toBe(0);
  abort.abort();
  await Promise.all(running);
  await pool.end();
});
