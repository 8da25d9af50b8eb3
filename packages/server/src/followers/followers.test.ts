import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { PoolClient } from "pg";
import { maintain } from "../db/maintenance.ts";
import { transaction } from "../db/transaction.ts";
import { dailyCounts } from "../features/stats/daily-counts.ts";
import { command, type Home, incoming, phone, resultOf, testLanes, type TestLanes } from "../lanes/test-lanes.ts";
import { createMetrics } from "../observe/metrics.ts";
import { systemClock } from "../process/clock.ts";
import { followSlice, followTogether, lanesBehind, rebuild, tendLane } from "./cursor.ts";
import type { Follower } from "./follower.ts";
import { createFollowing } from "./followers.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

/** A follower that keeps every number that it is given, and fails when told to. */
async function keeper(name: string): Promise<{ follower: Follower; fail: { next: boolean }; table: string }> {
  const table = `kept_${name}`;
  await lanes.rows(`create table ${table} (lane smallint, organization uuid, seq bigint, count integer)`);
  const fail = { next: false };
  const follower: Follower = {
    name,
    async follow(tx, { lane }, rows) {
      for (const row of rows)
        await tx.query(`insert into ${table} values ($1, $2, $3, $4)`, [lane, row.organization, row.seq, row.count]);
      if (!fail.next) return;
      fail.next = false;
      throw new Error("in the middle of a slice");
    },
    async forget(tx, { lane }) {
      await tx.query(`delete from ${table} where lane = $1`, [lane]);
    },
  };
  return { follower, fail, table };
}

/** Carries on until nothing is left, whatever goes wrong on the way. */
async function carryAll(follower: Follower, lane: number, limit: number): Promise<void> {
  for (;;) {
    try {
      const slice = await followSlice(lanes.pool, follower, lane, limit);
      if (!slice.busy && slice.rows === 0) return;
    } catch (error) {
      // a slice that breaks is rolled back whole and comes again
      if (!/in the middle|terminat/i.test(String(error))) throw error;
    }
  }
}

const logOf = (lane: number) =>
  lanes.rows("select organization, seq, count from log where lane = $1 order by seq", [lane]);

async function work(home: Home, messages: number): Promise<void> {
  const engine = lanes.engine();
  await Promise.all(Array.from({ length: messages }, (_, n) => engine.submit(incoming(home, phone(n % 7), `m${n}`))));
}

describe("a follower", () => {
  test("carries each row once and in order, however many follow, however often they break", async () => {
    const home = await lanes.organization({ lane: 301 });
    await lanes.organization({ lane: 301 });
    const { follower, fail, table } = await keeper("breaks");
    const busy = work(home, 120);
    const breaker = (async () => {
      for (let n = 0; n < 10; n += 1) {
        fail.next = true;
        await lanes.rows(
          "select pg_terminate_backend(pid) from pg_stat_activity where query like 'insert into kept_breaks%' and pid <> pg_backend_pid()",
        );
      }
    })();
    await Promise.all([carryAll(follower, 301, 7), carryAll(follower, 301, 3), busy, breaker]);
    await carryAll(follower, 301, 5);
    expect(await lanes.rows(`select organization, seq, count from ${table} order by ctid`)).toEqual(await logOf(301));
    expect((await logOf(301)).length).toBeGreaterThan(100);
  }, 60_000);

  test("leaves a lane to whoever follows it already", async () => {
    const home = await lanes.organization({ lane: 302 });
    await work(home, 1);
    const { follower } = await keeper("busy");
    await carryAll(follower, 302, 10);
    await work(home, 1);
    await transaction(lanes.pool, async (tx) => {
      await tx.query("select from followers where lane = 302 and name = 'busy' for update");
      expect(await followSlice(lanes.pool, follower, 302)).toEqual({ busy: true });
    });
    expect(await followSlice(lanes.pool, follower, 302)).toMatchObject({ busy: false, rows: 1 });
  });

  test("is made anew while everybody serves", async () => {
    const home = await lanes.organization({ lane: 303 });
    await work(home, 20);
    const { follower, table } = await keeper("anew");
    await carryAll(follower, 303, 50);
    await lanes.rows(`update ${table} set count = 99`);
    expect(await rebuild(lanes.pool, follower)).toBeGreaterThan(0);
    const more = work(home, 30);
    await Promise.all([more, carryAll(follower, 303, 4)]);
    await carryAll(follower, 303, 4);
    expect(await lanes.rows(`select organization, seq, count from ${table} where lane = 303 order by ctid`)).toEqual(
      await logOf(303),
    );
  });

  test("as a service it hears of commits, finds what nobody told of, and says how far behind it is", async () => {
    const home = await lanes.organization({ lane: 304 });
    const engine = lanes.engine();
    const told: unknown[] = [];
    engine.onLog((marks, from) => told.push([marks, from]));
    await engine.submit(incoming(home, phone(1), "before anyone follows"));
    const { follower, table } = await keeper("service");
    const metrics = createMetrics();
    const abort = new AbortController();
    const failures: unknown[] = [];
    const log = { warn() {}, error: (fields: object) => failures.push(fields) };
    const service = createFollowing([follower], {
      pool: engine.background,
      engine,
      metrics,
      clock: systemClock,
      random: Math.random,
      log,
      pauseMs: 5,
    });
    expect((await lanesBehind(lanes.pool, "service")).map(({ lane }) => lane)).toContain(304);
    const running = service.run(abort.signal);
    const caughtUp = async () =>
      (await lanes.rows(`select organization, seq, count from ${table} where lane = 304 order by ctid`)).length;
    await expect.poll(caughtUp, { timeout: 15_000 }).toBe(1);
    await engine.submit(incoming(home, phone(1), "told of"));
    await expect.poll(caughtUp, { timeout: 15_000 }).toBe(2);
    expect(told).toEqual([
      [[{ ...home.place, seq: expect.any(Number) }], "here"],
      [[{ ...home.place, seq: expect.any(Number) }], "here"],
    ]);
    const [{ last }] = (await lanes.rows<{ last: number }>(
      "select max(seq + count - 1) as last from log where lane = 304",
    )) as [{ last: number }];
    expect(told.at(-1)).toEqual([[{ ...home.place, seq: last }], "here"]);
    expect(await metrics.registry.metrics()).toContain(`threadmill_follower_lag_seconds{follower="service"}`);
    abort.abort();
    await running;
    expect(failures).toEqual([]);
    expect((await lanesBehind(lanes.pool, "service")).map(({ lane }) => lane)).not.toContain(304);
  }, 60_000);
});

describe("the counts of a day", () => {
  const counts = (home: Home) =>
    lanes.rows<{ day: string; messages: number; runs: number }>(
      "select day::text as day, messages, runs from daily_counts where organization = $1 order by day",
      [home.id],
    );
  /** Lets days pass for everything that an organization has; the database's clock is not ours to move. */
  async function age(home: Home, days: number): Promise<void> {
    await lanes.rows("update log set at = at - make_interval(days => $2) where organization = $1", [home.id, days]);
    await lanes.rows(
      "update organizations set created_at = created_at - make_interval(days => $2) where organization = $1",
      [home.id, days],
    );
    for (const table of ["runs", "runs_history"]) {
      const rows = await lanes.rows<{ id: string }>(`select id from ${table} where organization = $1`, [home.id]);
      for (const { id } of rows) {
        const ms = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) - days * 86_400_000;
        const hex = ms.toString(16).padStart(12, "0");
        await lanes.rows(`update ${table} set id = $2 where organization = $1 and id = $3`, [
          home.id,
          `${hex.slice(0, 8)}-${hex.slice(8)}${id.slice(13)}`,
          id,
        ]);
      }
    }
  }

  test("are the messages of the log and the runs that began, in the organization's zone, kept when the log is gone", async () => {
    const home = await lanes.organization({ lane: 305, zone: "Pacific/Kiritimati" });
    const engine = lanes.engine();
    await lanes.publish(home, {
      triggers: [{ event: "message.received" }],
      start: "tag",
      steps: { tag: { action: "conversation.add_tags", input: { tags: ["seen"] } } },
    });
    for (let n = 0; n < 4; n += 1) await engine.submit(incoming(home, phone(n), `m${n}`));
    const { conversation } = resultOf(await engine.submit(incoming(home, phone(1), "and")));
    await engine.submit(command(home, "message.note", { conversation, text: "a note" }));
    // so far back that the log of that time can be dropped as a whole, as its partitions are
    const days = 70;
    await maintain(
      lanes.pool,
      { eventsDays: 400, runsDays: 400 },
      new Date(Date.now() - days * 86_400_000).toISOString(),
    );
    const [{ day }] = (await lanes.rows<{ day: string }>(
      "select ((max(at) - interval '70 days') at time zone 'Pacific/Kiritimati')::date::text as day from log where organization = $1",
      [home.id],
    )) as [{ day: string }];
    await age(home, days);
    await carryAll(dailyCounts, 305, 2);
    expect(await counts(home)).toEqual([{ day, messages: 6, runs: 0 }]);
    for (let n = 0; n < 3; n += 1) await tendLane(lanes.pool, dailyCounts, 305);
    expect(await counts(home)).toEqual([{ day, messages: 6, runs: 5 }]);

    // counted days stay as they are when runs and log are gone; a rebuild makes anew what the log still says
    await lanes.rows("delete from runs_history where organization = $1", [home.id]);
    await tendLane(lanes.pool, dailyCounts, 305);
    await rebuild(lanes.pool, dailyCounts);
    expect(await counts(home)).toEqual([{ day, messages: 0, runs: 5 }]);
    await carryAll(dailyCounts, 305, 2);
    expect(await counts(home)).toEqual([{ day, messages: 6, runs: 5 }]);
    const dropped = (tx: PoolClient): Promise<unknown> =>
      tx.query(
        `with gone as (delete from log where lane = 305 returning seq, count)
update lanes set seq_floor = (select max(seq + count - 1) from gone) where lane = 305`,
      );
    await transaction(lanes.pool, dropped);
    await rebuild(lanes.pool, dailyCounts);
    await engine.submit(incoming(home, phone(9), "today"));
    await rebuild(lanes.pool, dailyCounts);
    await carryAll(dailyCounts, 305, 2);
    const [old, today] = await counts(home);
    expect(old).toEqual({ day, messages: 6, runs: 5 });
    expect(today).toMatchObject({ messages: 1, runs: 0 });
  }, 60_000);

  test("a day is counted only when it is over and no work of it is left", async () => {
    const home = await lanes.organization({ lane: 306 });
    await age(home, 2);
    const closed = async () =>
      (
        await lanes.rows<{ day: string }>("select day::text as day from daily_counts_closed where organization = $1", [
          home.id,
        ])
      )[0]?.day;
    const [{ today }] = (await lanes.rows<{ today: string }>(
      "select ((clock_timestamp() - interval '1 hour') at time zone 'UTC')::date::text as today",
    )) as [{ today: string }];
    const before = (days: number) => new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10);
    await lanes.rows(
      "insert into leftovers (lane, organization, body, at) values (306, $1, '{}', now() - interval '1 day')",
      [home.id],
    );
    await tendLane(lanes.pool, dailyCounts, 306);
    expect(await closed()).toSatisfy((day: string) => day <= before(2));
    await lanes.rows("delete from leftovers where organization = $1", [home.id]);
    await tendLane(lanes.pool, dailyCounts, 306);
    expect(await closed()).toBe(before(1));
  });
});

test("a lane that cannot be followed is told of and stops no other", async () => {
  const engine = lanes.engine();
  const homes = await Promise.all([lanes.organization(), lanes.organization(), lanes.organization()]);
  const [bad] = homes.map((home) => home.place.lane).toSorted((a, b) => a - b);
  const followed = new Set<number>();
  const told: string[] = [];
  const follower: Follower = {
    name: "poisoned",
    async follow(_tx, { lane }) {
      if (lane === bad) throw new Error("a row that it cannot read");
      followed.add(lane);
    },
    async forget() {},
  };
  const service = createFollowing([follower], {
    pool: lanes.pool,
    engine,
    metrics: createMetrics(),
    clock: systemClock,
    random: () => 0,
    log: { warn() {}, error: (_fields, message) => void told.push(message) },
    pauseMs: 20,
  });
  const abort = new AbortController();
  const run = service.run(abort.signal);
  for (const home of homes) await engine.submit(incoming(home, phone(1), "x"));
  const others = homes.map((home) => home.place.lane).filter((lane) => lane !== bad);
  await vi.waitFor(() => expect([...followed]).toEqual(expect.arrayContaining(others)), { timeout: 20_000 });
  await vi.waitFor(() => expect(told).toContain("a follower of the log failed in a lane"), { timeout: 20_000 });
  abort.abort();
  await run;
});

test("several share one reading of a lane; one that fails keeps no other back, and joins them again", async () => {
  const home = await lanes.organization({ lane: 308 });
  const engine = lanes.engine();
  const [a, b, c] = await Promise.all([keeper("shared_a"), keeper("shared_b"), keeper("shared_c")]);
  const all = [a, b, c].map(({ follower }) => follower);
  for (const follower of all) await followSlice(lanes.pool, follower, 308);
  await engine.submit(incoming(home, phone(1), "first"));
  const kept = ({ table }: { readonly table: string }) =>
    lanes.rows(`select organization, seq, count from ${table} where lane = 308 order by ctid`);

  expect(await followTogether(lanes.pool, all, 308)).toEqual({ carried: all, rows: 1 });
  for (const each of [a, b, c]) expect(await kept(each)).toEqual(await logOf(308));

  await engine.submit(incoming(home, phone(1), "second"));
  b.fail.next = true;
  await expect(followTogether(lanes.pool, all, 308)).rejects.toThrow("in the middle");
  expect(await kept(a)).toHaveLength(1);
  // as the service goes on: each for itself
  for (const follower of [a.follower, c.follower]) await followSlice(lanes.pool, follower, 308);
  await engine.submit(incoming(home, phone(1), "third"));
  // whoever stands elsewhere is left out of what the others share
  expect(await followTogether(lanes.pool, all, 308)).toEqual({ carried: [a.follower, c.follower], rows: 1 });
  await carryAll(b.follower, 308, 10);
  expect(await followTogether(lanes.pool, all, 308)).toEqual({ carried: all, rows: 0 });
  for (const each of [a, b, c]) expect(await kept(each)).toEqual(await logOf(308));
});
