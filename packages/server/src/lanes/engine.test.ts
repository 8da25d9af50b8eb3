import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensurePartitions } from "../db/partitions.ts";
import {
  brokenInvariants,
  command,
  type Home,
  incoming,
  phone,
  resultOf,
  testLanes,
  type TestEngine,
  type TestLanes,
} from "./test-lanes.ts";

let lanes: TestLanes;
let engine: TestEngine;
beforeAll(async () => {
  lanes = await testLanes();
  engine = lanes.engine();
});
afterAll(() => lanes.close());

const count = async (text: string, values: unknown[] = []): Promise<number> =>
  (await lanes.rows<{ n: number }>(`select count(*)::int as n from ${text}`, values))[0]?.n ?? -1;

describe("an answer", () => {
  test("comes after the commit, and what it tells of is there", async () => {
    const home = await lanes.organization();
    const { command: id, answer, repeated, cut } = await engine.submit(incoming(home, phone(1), "hello"));
    expect({ answer, repeated, cut }).toMatchObject({
      answer: { ok: true, result: { duplicate: false } },
      repeated: false,
      cut: false,
    });
    const { message } = resultOf({ answer } as never);
    expect(await lanes.rows("select text, direction, seq from messages where id = $1", [message])).toEqual([
      { text: "hello", direction: "inbound", seq: 3 },
    ]);
    expect(await lanes.rows("select distinct root from log where organization = $1", [home.id])).toEqual([
      { root: id },
    ]);
  });

  test("of a refusal leaves a receipt and no event", async () => {
    const home = await lanes.organization();
    const { command: id, answer } = await engine.submit(
      command(home, "conversation.close", { conversation: home.owner }, { key: "first" }),
    );
    expect(answer).toMatchObject({ ok: false, code: "conversation_not_found" });
    const bad = await engine.submit(command(home, "customer.upsert", { phone: "12" }, { key: "second" }));
    expect(bad.answer).toMatchObject({ ok: false, path: "/phone" });
    expect(
      await lanes.rows(
        "select key, id, answer from receipts where organization = $1 and key is not null order by key",
        [home.id],
      ),
    ).toEqual([
      { key: "first", id, answer },
      { key: "second", id: bad.command, answer: bad.answer },
    ]);
    expect(await count("log where organization = $1", [home.id])).toBe(0);
  });

  test("to commands without a key leaves one receipt for all of their batch", async () => {
    const home = await lanes.organization();
    const sent = Array.from({ length: 50 }, (_, n) => engine.submit(incoming(home, phone(n), "hello")));
    const answers = await Promise.all(sent);
    expect(answers.every(({ answer }) => answer.ok)).toBe(true);
    const kept = await lanes.rows("select key, answer from receipts where organization = $1", [home.id]);
    expect(kept).toEqual([{ key: null, answer: { ok: true, result: { batch: true } } }]);
  });

  test("to an organization that is not there is a refusal for that caller alone", async () => {
    const home = await lanes.organization();
    const stranger = { ...home.place, organization: home.owner };
    const answers = await Promise.all([
      engine.submit(incoming(home, phone(1), "one")),
      engine.submit(incoming(home, phone(2), "lost", { place: stranger })),
      engine.submit(incoming(home, phone(3), "three")),
    ]);
    expect(answers.map(({ answer }) => (answer.ok ? "ok" : answer.code))).toEqual([
      "ok",
      "organization_not_found",
      "ok",
    ]);
    expect(await count("parked")).toBe(0);
    expect(engine.faults).toEqual([]);
  });
});

describe("a client's key", () => {
  test("gets the first answer again: in a batch, in a later one, from another process, and for a refusal", async () => {
    const home = await lanes.organization();
    const other = lanes.engine();
    const keyed = incoming(home, phone(1), "once", { key: "k1" });
    const [first, second] = await Promise.all([engine.submit(keyed), engine.submit(keyed)]);
    const third = await engine.submit(keyed);
    const fourth = await other.submit(keyed);
    expect([first, second, third, fourth].map((each) => each.repeated)).toEqual([false, true, true, true]);
    expect(new Set([first, second, third, fourth].map((each) => JSON.stringify(each.answer))).size).toBe(1);
    const refused = command(home, "conversation.close", { conversation: home.owner }, { key: "k2" });
    const [no, again] = [await engine.submit(refused), await other.submit(refused)];
    expect([no.repeated, again.repeated]).toEqual([false, true]);
    expect(again.answer).toEqual(no.answer);
    expect(await count("messages where organization = $1", [home.id])).toBe(1);
    expect(await count("receipts where key is not null and organization = $1", [home.id])).toBe(2);
  });

  test("is an organization's own", async () => {
    const [a, b] = [await lanes.organization({ lane: 900 }), await lanes.organization({ lane: 900 })];
    const answers = await Promise.all(
      [a, b].map((home) => engine.submit(incoming(home, phone(1), "hi", { key: "same" }))),
    );
    expect(answers.map((each) => each.repeated)).toEqual([false, false]);
  });

  test("with two requests at two processes at once does one of them", async () => {
    const home = await lanes.organization();
    const other = lanes.engine();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => {
        const keyed = { key: `both-${n >> 1}`, fingerprint: String(n % 2) };
        return (n % 2 === 0 ? engine : other).submit(incoming(home, phone(n >> 1), `body ${n % 2}`, keyed));
      }),
    );
    const codes = answers.map(({ answer }) => (answer.ok ? "done" : answer.code));
    for (let n = 0; n < 40; n += 2)
      expect(codes.slice(n, n + 2).toSorted()).toEqual(["done", "idempotency_key_reused"]);
    expect(await count("messages where organization = $1", [home.id])).toBe(20);
    expect(await count("receipts where key is not null and organization = $1", [home.id])).toBe(20);
  });

  test("sent by two processes at once is decided once", async () => {
    const home = await lanes.organization();
    const other = lanes.engine();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        (n % 2 === 0 ? engine : other).submit(incoming(home, phone(n >> 2), "race", { key: `race-${n >> 2}` })),
      ),
    );
    expect(answers.filter((each) => !each.repeated)).toHaveLength(10);
    expect(await count("messages where organization = $1", [home.id])).toBe(10);
  });
});

test("a provider's message id is taken in once, in one batch and across batches", async () => {
  const home = await lanes.organization();
  const one = incoming(home, phone(1), "sms", { input: { provider_id: "SM1" } });
  const [a, b] = await Promise.all([engine.submit(one), engine.submit(one)]);
  const c = await engine.submit(one);
  expect([a, b, c].map((each) => resultOf(each)["duplicate"])).toEqual([false, true, true]);
  expect(resultOf(c)["message"]).toBe(resultOf(a)["message"]);
});

test("under load a batch grows: far fewer commits than commands", async () => {
  const home = await lanes.organization();
  const answers = await Promise.all(
    Array.from({ length: 600 }, (_, n) => engine.submit(incoming(home, phone(n % 50), `load ${n}`))),
  );
  expect(answers.every(({ answer }) => answer.ok)).toBe(true);
  const [commits] = await lanes.rows<{ n: number }>(
    "select count(distinct xmin::text)::int as n from log where organization = $1",
    [home.id],
  );
  expect(commits?.n).toBeLessThan(10);
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
});

describe("a slice", () => {
  const chain = (steps: number) => ({
    triggers: [{ event: "message.received" }],
    start: "s0",
    steps: Object.fromEntries(
      Array.from({ length: steps }, (_, n) => [
        `s${n}`,
        { action: "conversation.add_tags", input: { tags: [`t${n}`] }, ...(n + 1 < steps && { next: `s${n + 1}` }) },
      ]),
    ),
  });

  test("that cuts an item says so; the rest follows, in order, and no one overtakes it", async () => {
    const home = await lanes.organization();
    await lanes.publish(home, chain(9));
    const small = lanes.engine({ slice: 4 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => small.submit(incoming(home, phone(1), `m${n}`))),
    );
    expect(answers.some((each) => each.cut)).toBe(true);
    await small.quiet();
    const texts = await lanes.rows<{ text: string }>("select text from messages where organization = $1 order by seq", [
      home.id,
    ]);
    expect(texts.map((row) => row.text)).toEqual(Array.from({ length: 12 }, (_, n) => `m${n}`));
    const runs = await lanes.rows<{ status: string; n: number }>(
      "select status, jsonb_array_length(steps::jsonb) as n from runs_history where organization = $1",
      [home.id],
    );
    expect(runs).toEqual(Array.from({ length: 12 }, () => ({ status: "finished", n: 9 })));
    expect(await count("leftovers")).toBe(0);
    // roots do not interleave in the log
    const roots = (
      await lanes.rows<{ root: string }>("select root from log where organization = $1 order by seq", [home.id])
    ).map((row) => row.root);
    expect(new Set(roots.filter((root, n) => roots[n - 1] !== root)).size).toBe(
      roots.filter((root, n) => roots[n - 1] !== root).length,
    );
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("whose rest is carried after many weeks, at the instant at which it began, repeats no number of the log", async () => {
    const home = await lanes.organization({ lane: 77 });
    await lanes.publish(home, chain(9));
    const small = lanes.engine({ slice: 4 });
    // who is going carries what was admitted, and leaves the rest
    const [answer] = await Promise.all([small.submit(incoming(home, phone(1), "long ago")), small.stop()]);
    expect(answer.cut).toBe(true);
    const began = new Date(Date.now() - 40 * 86_400_000).toISOString();
    const client = await lanes.pool.connect();
    for (const table of ["log", "runs_history"])
      await ensurePartitions(client, { table, unit: "month", ahead: 0, now: new Date().toISOString(), since: began });
    client.release();
    await lanes.rows("update leftovers set body = jsonb_set(body, '{at}', to_jsonb($1::text)) where lane = 77", [
      began,
    ]);
    await engine.tick();
    expect(await lanes.rows("select from leftovers where lane = 77")).toEqual([]);
    expect(await lanes.rows("select at from log where lane = 77 order by seq desc limit 1")).toEqual([{ at: began }]);
    await engine.submit(incoming(home, phone(2), "today"));
    const numbers = (await lanes.rows<{ seq: number; count: number }>("select seq, count from log where lane = 77"))
      .flatMap(({ seq, count: events }) => Array.from({ length: events }, (_, n) => seq + n))
      .toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, n) => n + 1));
  });

  test("makes the same log as no slice at all", async () => {
    const [a, b] = [await lanes.organization(), await lanes.organization()];
    for (const home of [a, b]) await lanes.publish(home, chain(5));
    const small = lanes.engine({ slice: 1 });
    for (const [home, by] of [
      [a, small],
      [b, engine],
    ] as const) {
      for (let n = 0; n < 3; n += 1) await by.submit(incoming(home, phone(n), `m${n}`));
      await by.quiet();
    }
    const shape = (home: Home) =>
      lanes.rows(
        `select e ->> 'type' as type, e -> 'changes' -> 0 -> 'after' -> 'tags' as tags
from log, json_array_elements(events) with ordinality as each(e, n) where organization = $1 order by seq, n`,
        [home.id],
      );
    expect(await shape(a)).toEqual(await shape(b));
  });
});

test("bulk work waits for those who wait", async () => {
  const home = await lanes.organization();
  const order: string[] = [];
  const submit = (n: number, work: "bulk" | "interactive") =>
    engine.submit(incoming(home, phone(n), work, { work })).then(() => order.push(work));
  const bulk = Array.from({ length: 300 }, (_, n) => submit(n, "bulk"));
  const quick = Array.from({ length: 100 }, (_, n) => submit(n, "interactive"));
  await Promise.all([...bulk, ...quick]);
  expect(order.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => "interactive"));
});

test("bulk work beyond what may wait is refused to its worker, and of what was taken nothing is lost", async () => {
  const home = await lanes.organization();
  const small = lanes.engine({ waitingBytes: 1_000_000 });
  const told = await Promise.allSettled(
    Array.from({ length: 300 }, (_, n) => small.submit(incoming(home, phone(n % 9), `bulk ${n}`, { work: "bulk" }))),
  );
  const taken = told.flatMap((each) => (each.status === "fulfilled" ? [each.value.command] : []));
  const refused = told.flatMap((each) => (each.status === "rejected" ? [each.reason as { code: string }] : []));
  expect(refused.length).toBeGreaterThan(100);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["overloaded"]));
  expect(taken.length).toBeGreaterThan(20);
  expect(await count("messages where organization = $1", [home.id])).toBe(taken.length);
  // who comes again when there is room is taken
  expect((await small.submit(incoming(home, phone(1), "again", { work: "bulk" }))).answer.ok).toBe(true);
});

test("bulk work goes on while interactive work never ends", async () => {
  const home = await lanes.organization();
  let done = false;
  const caller = async (n: number): Promise<void> => {
    while (!done) await engine.submit(incoming(home, phone(n), "interactive"));
  };
  const callers = Array.from({ length: 60 }, (_, n) => caller(n));
  const bulk = Array.from({ length: 200 }, (_, n) => engine.submit(incoming(home, phone(n), "bulk", { work: "bulk" })));
  const answers = await Promise.all(bulk);
  done = true;
  await Promise.all(callers);
  expect(answers.every(({ answer }) => answer.ok)).toBe(true);
});

describe("settings", () => {
  const rename = (home: Home, zone: string, by = engine) =>
    by.changeSettings(home.place, { kind: "user", id: home.owner }, async (tx) => {
      await tx.query("update organizations set zone = $3 where lane = $1 and organization = $2", [
        home.place.lane,
        home.id,
        zone,
      ]);
      return { noun: "organization", id: home.id, before: { zone: "UTC" }, after: { zone }, result: zone };
    });

  test("that change are seen by the very next command, in this process and in another", async () => {
    const home = await lanes.organization();
    const other = lanes.engine();
    for (const each of [engine, other]) await each.submit(incoming(home, phone(1), "warm"));
    const off = (by: TestEngine) =>
      by.changeSettings(home.place, { kind: "user", id: home.owner }, async (tx) => {
        await tx.query("update channels set archived_at = now() where id = $1", [home.channels.sms]);
        return { noun: "channels", id: home.channels.sms, before: null, after: null, result: null };
      });
    expect(await off(engine)).toEqual({ ok: true, result: null });
    for (const each of [engine, other])
      expect((await each.submit(incoming(home, phone(1), "late"))).answer).toMatchObject({ ok: false });
    expect((await other.settings(home.place)).all.version).toBe(2);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("change between batches under load, and the log has no gap", async () => {
    const home = await lanes.organization();
    const work = Array.from({ length: 200 }, (_, n) => engine.submit(incoming(home, phone(n), `x${n}`)));
    const changes = ["Europe/Zurich", "America/New_York", "Asia/Tokyo"].map((zone) => rename(home, zone));
    await Promise.all([...work, ...changes]);
    expect(await count("log where organization = $1 and events -> 0 ->> 'type' = 'settings.changed'", [home.id])).toBe(
      3,
    );
    expect((await engine.settings(home.place)).organization.zone).toBeTypeOf("string");
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("that are refused, or fail, leave nothing", async () => {
    const home = await lanes.organization();
    const refused = await engine.changeSettings(home.place, { kind: "user", id: home.owner }, async (tx) => {
      await tx.query("update organizations set zone = 'Asia/Tokyo' where organization = $1", [home.id]);
      return { ok: false, kind: "invalid", code: "no", message: "no" };
    });
    expect(refused).toMatchObject({ ok: false, code: "no" });
    await expect(
      engine.changeSettings(home.place, { kind: "user", id: home.owner }, async () => {
        throw new Error("broke");
      }),
    ).rejects.toThrow("broke");
    expect(
      await lanes.rows("select zone, config_version from organizations where organization = $1", [home.id]),
    ).toEqual([{ zone: "UTC", config_version: 1 }]);
  });
});

test("merging, erasing and changing addresses leave each address with its one owner", async () => {
  const home = await lanes.organization();
  const [a, b] = [
    resultOf(await engine.submit(incoming(home, phone(1), "a"))),
    resultOf(await engine.submit(incoming(home, phone(2), "b"))),
  ];
  const submit = async (type: string, input: object) => resultOf(await engine.submit(command(home, type, input)));
  await submit("customer.upsert", { customer: b["customer"], email: "old@example.com" });
  await submit("customer.upsert", { customer: b["customer"], email: "new@example.com" });
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
  await submit("customer.merge", { customer: a["customer"], into: b["customer"] });
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
  // the source's number now reaches the target, and its conversation goes on
  const next = resultOf(await engine.submit(incoming(home, phone(1), "again")));
  expect([next["customer"], next["conversation"]]).toEqual([
    b["customer"],
    (b["conversation"] as string) > (a["conversation"] as string) ? b["conversation"] : a["conversation"],
  ]);
  await submit("conversation.close", { conversation: a["conversation"] });
  await submit("customer.close", { customer: b["customer"] });
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
  await submit("customer.erase", { customer: b["customer"] });
  expect((await lanes.rows("select from addresses where organization = $1", [home.id])).length).toBe(0);
});

test("a stopped engine takes nothing more, has answered what it took, and stops twice as once", async () => {
  const home = await lanes.organization();
  const going = lanes.engine();
  const work = Array.from({ length: 300 }, (_, n) =>
    going.submit(incoming(home, phone(n % 9), `last ${n}`, { work: n % 2 === 0 ? "bulk" : "interactive" })),
  );
  await Promise.all([going.stop(), going.stop()]);
  expect(await count("messages where organization = $1", [home.id])).toBe(300);
  await expect(going.submit(incoming(home, phone(1), "too late"))).rejects.toMatchObject({ code: "shutting_down" });
  expect((await Promise.all(work)).every(({ answer }) => answer.ok)).toBe(true);
  expect(going.health()).toMatchObject({ ready: false });
});

test("what an item did is there for the next one of its batch, also in what that one has to load", async () => {
  const home = await lanes.organization();
  const closed = resultOf(await engine.submit(incoming(home, phone(1), "hi")));
  resultOf(await engine.submit(command(home, "conversation.close", { conversation: closed["conversation"] })));
  await lanes.publish(home, {
    triggers: [{ event: "message.received", when: { field: "message.text", op: "is", value: "STOP" } }],
    start: "close",
    steps: { close: { action: "customer.close", input: {} } },
  });
  // the first opens the conversation again, the second looks for the customer's open ones
  await Promise.all([
    engine.submit(incoming(home, phone(1), "hello")),
    engine.submit(incoming(home, phone(1), "STOP")),
  ]);
  expect(await lanes.rows("select distinct status from conversations where organization = $1", [home.id])).toEqual([
    { status: "closed" },
  ]);
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
});

// last, as its log no longer tells when things were
test("a lane that was quiet for months goes on with its numbers", async () => {
  const home = await lanes.organization();
  await engine.submit(incoming(home, phone(1), "long ago"));
  await lanes.rows("create table log_long_ago partition of log for values from ('2020-01-01') to ('2020-02-01')");
  await lanes.rows("update log set at = '2020-01-07T12:00:00Z' where organization = $1", [home.id]);
  await engine.submit(incoming(home, phone(1), "today"));
  const rows = await lanes.rows<{ seq: number; count: number }>(
    "select seq, count from log where organization = $1 order by seq",
    [home.id],
  );
  expect(rows.map((row) => row.seq)).toEqual([1, 4]);
  expect(rows[0]?.count).toBe(3);
});
