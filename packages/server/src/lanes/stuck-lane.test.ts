import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PoolClient } from "pg";
import { openPool } from "../db/pool.ts";
import { createOrganization, type CreatedOrganization } from "../features/organization/create.ts";
import { startTestApi, type TestApi } from "../testing/test-api.ts";

/** The old code waited 9 to 15 seconds here; a machine that is busy with other tests takes less than a second. */
const boundMs = 5000;
const others = 3;

let api: TestApi;
let homes: CreatedOrganization[];
let stuck: CreatedOrganization[];
let pool: ReturnType<typeof openPool>;

beforeAll(async () => {
  api = await startTestApi({ THREADMILL_WAITING_MB: "8" });
  pool = openPool({ url: api.databaseUrl, max: 4 });
  homes = [];
  stuck = [];
  for (let n = 0; n < others; n += 1) homes.push(await createOrganization(pool, { name: `Other ${n}`, lane: 100 + n }));
  // more lanes than a process has connections of any kind
  for (let n = 0; n < 16; n += 1) stuck.push(await createOrganization(pool, { name: `Stuck ${n}`, lane: 200 + n }));
});
afterAll(async () => {
  await pool.end();
  await api.close();
});

/** Holds the rows of lanes by hand, as a person at a terminal might. */
async function whileHeld(lanes: readonly number[], fn: () => Promise<void>): Promise<void> {
  const holder: PoolClient = await pool.connect();
  try {
    await holder.query("begin");
    await holder.query("select from lanes where lane = any($1) order by lane for update", [lanes]);
    await fn();
  } finally {
    await holder.query("rollback");
    holder.release();
  }
}

const receive = ({ token }: CreatedOrganization, from: string, text = "hello") =>
  api.call("POST", "/channels/api/messages", { token, body: { from, text } });
const rename = ({ token }: CreatedOrganization, name: string) =>
  api.call("PATCH", "/organization", { token, body: { name } });

async function slowest(work: readonly (() => Promise<unknown>)[]): Promise<number> {
  const took = await Promise.all(
    work.map(async (each) => {
      const since = performance.now();
      await each();
      return performance.now() - since;
    }),
  );
  return Math.max(...took);
}

/** One of everything, for each organization that has nothing to do with the held lanes. */
const everything = (round: number) =>
  homes.flatMap((home) => [
    () => receive(home, `c${round}`),
    () => rename(home, `Round ${round}`),
    async () => {
      const { json } = await receive(home, `reply${round}`);
      const { conversation } = json.result;
      const sent = await api.call("POST", `/conversations/${conversation}/messages`, {
        token: home.token,
        body: { text: "an answer" },
      });
      const delivery = async () =>
        (await api.call("GET", `/conversations/${conversation}/messages`, { token: home.token })).json.items.find(
          (each: { id: string }) => each.id === sent.json.result.message,
        ).delivery;
      await expect.poll(delivery, { interval: 20, timeout: boundMs }).toBe("sent");
    },
  ]);

describe("a lane whose row is locked by hand", () => {
  test("keeps nobody else waiting: commands, settings and effects of others go on", async () => {
    const [first] = stuck as [CreatedOrganization];
    const held = stuck.map(({ lane }) => lane);
    const waiting: Promise<unknown>[] = [];
    // an effect that will need the stuck lane when it is settled
    const begun = (await receive(first, "before")).json.result.conversation;
    await api.call("POST", `/conversations/${begun}/messages`, { token: first.token, body: { text: "held up" } });
    await whileHeld(held, async () => {
      for (const home of stuck) {
        waiting.push(receive(home, "ada"), receive(home, "bob"));
        for (let n = 0; n < 4; n += 1) waiting.push(rename(home, `Waited ${n}`));
      }
      await expect
        .poll(() => api.server.engine.stuckLanes().length, { interval: 20, timeout: 30_000 })
        .toBe(stuck.length);
      for (let round = 0; round < 3; round += 1) expect(await slowest(everything(round))).toBeLessThan(boundMs);

      // long work behind the scenes gives way and comes again later
      const { inLane } = api.server.engine;
      const background = stuck.map(({ lane }) => inLane(lane, async () => "done"));
      const told = Promise.allSettled(background);
      expect(
        await slowest(
          homes.map(
            ({ lane }) =>
              () =>
                inLane(lane, async () => {}),
          ),
        ),
      ).toBeLessThan(boundMs);
      for (const each of await told)
        expect(each).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });

      const ready = await api.raw({ method: "GET", url: "/readyz" });
      expect(ready.statusCode).toBe(200);
      const named: { lane: number; seconds: number }[] = ready.json().stuck_lanes;
      expect(named.map(({ lane }) => lane).sort((a, b) => a - b)).toEqual(held);
      expect(named.every(({ seconds }) => seconds > 1)).toBe(true);
      const { body } = await api.raw({ method: "GET", url: "/metrics" });
      expect(body).toContain(`threadmill_lane_waiting_seconds{lane="${first.lane}"}`);
    });
    // and whoever waited is answered, in time
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ status: expect.toSatisfy(isGood) });
    expect(api.server.engine.stuckLanes()).toEqual([]);
    expect((await api.raw({ method: "GET", url: "/metrics" })).body).not.toContain("threadmill_lane_waiting_seconds{");
  });
});

/** The 99th percentile, in ms, of what the others are answered in: messages and, now and then, a change of settings. */
async function p99OfOthers(): Promise<number> {
  const took: number[] = [];
  for (let wave = 0; wave < 20; wave += 1) {
    const work = homes.flatMap((home) => [
      () => receive(home, `w${wave}`),
      () => receive(home, `v${wave}`),
      ...(wave % 5 === 0 ? [() => rename(home, `Wave ${wave}`)] : []),
    ]);
    await Promise.all(
      work.map(async (each) => {
        const since = performance.now();
        await each();
        took.push(performance.now() - since);
      }),
    );
  }
  return took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.99)] as number;
}

test("every other organization's p99 stays within twice its usual while lanes are held", async () => {
  const ratios: number[] = [];
  await p99OfOthers();
  // whatever else the machine does just then disturbs one side of a pair or the other, but not always the same
  for (let pair = 0; pair < 8 && !ratios.some((ratio) => ratio <= 2); pair += 1) {
    const usual = await p99OfOthers();
    const waiting: Promise<unknown>[] = [];
    await whileHeld(
      stuck.map(({ lane }) => lane),
      async () => {
        for (const home of stuck) waiting.push(receive(home, "ada"), rename(home, `Waited ${pair}`));
        await expect
          .poll(() => api.server.engine.stuckLanes().length, { interval: 20, timeout: 30_000 })
          .toBe(stuck.length);
        ratios.push((await p99OfOthers()) / usual);
      },
    );
    await Promise.all(waiting);
  }
  expect(ratios.at(-1)).toBeLessThanOrEqual(2);
});

describe("what waits for a lane that is held", () => {
  test("is limited: beyond it callers are told to come again, and others have room", async () => {
    const [first, second] = stuck as [CreatedOrganization, CreatedOrganization];
    const [free] = homes as [CreatedOrganization];
    const text = "x".repeat(60_000);
    await whileHeld([first.lane, second.lane], async () => {
      const flood = (home: CreatedOrganization) =>
        Array.from({ length: 150 }, (_, n) =>
          api.raw({
            method: "POST",
            url: "/api/v2/channels/api/messages",
            headers: { authorization: `Bearer ${home.token}` },
            payload: { from: `c${n}`, text },
          }),
        );
      const asked = [...flood(first), ...flood(second)];
      const refused: { statusCode: number; headers: Record<string, unknown>; json(): { code: string } }[] = [];
      for (const each of asked) void each.then((answer) => answer.statusCode === 503 && refused.push(answer));
      // of 8 MB the first lane may take a fifth, the second a fifth of what is left: some 27 and 21 messages
      await expect.poll(() => refused.length, { interval: 20, timeout: 15_000 }).toBeGreaterThan(200);
      for (const answer of refused) {
        expect(answer.json().code).toBe("overloaded");
        expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
      }
      expect(await receive(free, "ada", text)).toMatchObject({ status: 201 });
      void Promise.all(asked);
    });
    // those who were let in are carried, and their room is free again
    await expect.poll(async () => (await receive(first, "late", text)).status, { timeout: 15_000 }).toBe(201);
  });
});

const isGood = (status: number): boolean => status === 200 || status === 201;
