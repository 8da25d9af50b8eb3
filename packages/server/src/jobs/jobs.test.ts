import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  command,
  type Home,
  incoming,
  phone,
  resultOf,
  testLanes,
  type TestEngine,
  type TestLanes,
} from "../lanes/test-lanes.ts";
import { receiveTable } from "./csv/upload.ts";
import { filesInDatabase, removeExports } from "./files.ts";
import { jobKinds } from "./registry.ts";
import { dieEverywhere, testJobs } from "./test-jobs.ts";

let lanes: TestLanes;
let engine: TestEngine;
let numbers = 0;
beforeAll(async () => {
  lanes = await testLanes();
  engine = lanes.engine();
});
afterAll(() => lanes.close());

/** New conversations, each with one message. */
const conversations = (home: Home, many: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: many }, async () =>
      String(resultOf(await engine.submit(incoming(home, phone((numbers += 1)), "hello")))["conversation"]),
    ),
  );

const notesOf = async (home: Home, ids: readonly string[]): Promise<number[]> => {
  const rows = await lanes.rows<{ n: number }>(
    `select count(m.id)::int as n from unnest($2::uuid[]) with ordinality as c(id, place)
left join messages m on m.lane = $3 and m.organization = $1 and m.conversation = c.id and m.direction = 'note' group by c.place order by c.place`,
    [home.id, ids, home.lane],
  );
  return rows.map(({ n }) => n);
};

const note = (ids: readonly string[], text = "seen") => ({
  kind: "conversations.change",
  parameters: { selection: { ids }, command: "message.note", input: { text } },
});

describe("a job over a selection", () => {
  test("does each thing once, wherever it is killed", async () => {
    const home = await lanes.organization({ lane: 501 });
    const jobs = testJobs(lanes, engine, jobKinds);
    let ids: string[] = [];
    const deaths = await dieEverywhere(
      jobs,
      async () => {
        ids = await conversations(home, 5);
        return jobs.ask(home, note(ids));
      },
      async (job) => {
        expect(job).toMatchObject({ state: "done", done: 5, refused: 0, total: 5, slice: null });
        expect(await notesOf(home, ids)).toEqual([1, 1, 1, 1, 1]);
      },
    );
    expect(deaths).toBeGreaterThan(30);
  }, 120_000);

  test("tells what was refused, once, and keeps the reasons of so many", async () => {
    const home = await lanes.organization({ lane: 502 });
    const [one] = (await conversations(home, 1)) as [string];
    const nowhere = Array.from({ length: 4 }, (_, n) => `01890000-0000-7000-8000-00000000000${n}`);
    const few = jobKinds.map((kind) => ({ ...kind, refusalsKept: 3 }));
    const jobs = testJobs(lanes, engine, few);
    await dieEverywhere(
      jobs,
      () => jobs.ask(home, note([nowhere[0] as string, one, ...nowhere.slice(1)])),
      async (job) => {
        expect(job).toMatchObject({ state: "done", done: 1, refused: 4 });
        const kept = await lanes.rows(
          "select number, item, code, path from job_refusals where job = $1 order by number",
          [job.id],
        );
        expect(kept).toEqual(
          nowhere
            .slice(0, 3)
            .map((item, n) => ({ number: n + 1, item, code: "conversation_not_found", path: "/conversation" })),
        );
      },
    );
  }, 120_000);

  test("of two processes that carry it at once each thing is done and counted once", async () => {
    const home = await lanes.organization({ lane: 503 });
    const ids = await conversations(home, 40);
    const [one, other] = [testJobs(lanes, engine, jobKinds), testJobs(lanes, lanes.engine(), jobKinds)];
    const job = await one.ask(home, note(ids));
    // the lease of each ends before its first slice does: both believe that the job is theirs
    const stolen = (async () => {
      for (let n = 0; n < 10; n += 1) {
        await lanes.rows("update directory_jobs set lease_until = null where id = $1", [job.id]);
        await other.turn();
      }
    })();
    await Promise.all([one.turn(), stolen]);
    await one.finish();
    expect(await one.read(job)).toMatchObject({ state: "done", done: 40, refused: 0 });
    expect(await notesOf(home, ids)).toEqual(ids.map(() => 1));
  }, 60_000);

  test("goes on as whoever asked may at that moment", async () => {
    const home = await lanes.organization({ lane: 504 });
    const ids = await conversations(home, 2);
    const jobs = testJobs(lanes, engine, jobKinds);
    const job = await jobs.ask(home, note(ids));
    await lanes.rows("update users set archived_at = now() where id = $1", [home.owner]);
    await lanes.rows("update organizations set config_version = config_version + 1 where organization = $1", [home.id]);
    await jobs.finish();
    expect(await jobs.read(job)).toMatchObject({ state: "failed", failure: { code: "not_permitted" }, done: 0 });
    expect(await notesOf(home, ids)).toEqual([0, 0]);
  });
});

test("a workflow is run once for each thing, wherever the job is killed", async () => {
  const home = await lanes.organization({ lane: 505 });
  const { workflow } = await lanes.publish(home, {
    kind: "manual",
    triggers: [],
    start: "tag",
    steps: { tag: { action: "conversation.add_tags", input: { tags: ["done"] } } },
  });
  const jobs = testJobs(lanes, engine, jobKinds);
  let ids: string[] = [];
  await dieEverywhere(
    jobs,
    async () => {
      ids = await conversations(home, 3);
      return jobs.ask(home, {
        kind: "workflows.run",
        parameters: { workflow, noun: "conversation", selection: { ids } },
      });
    },
    async (job) => {
      expect(job).toMatchObject({ state: "done", done: 3, refused: 0 });
      const runs = await lanes.rows(
        "select subject, count(*)::int as n from runs_history where organization = $1 and subject = any($2) group by subject order by subject",
        [home.id, ids],
      );
      expect(runs).toEqual(ids.toSorted().map((subject) => ({ subject, n: 1 })));
    },
  );
}, 120_000);

describe("an engine that has no room", () => {
  test("is waited for, and what was let in keeps its order", async () => {
    const home = await lanes.organization({ lane: 506 });
    const ids = await conversations(home, 30);
    // room for some ten commands
    const small = lanes.engine({ waitingBytes: 10 * 16 * 1300 });
    const jobs = testJobs(lanes, small, jobKinds, { sliceItems: 30 });
    const job = await jobs.ask(home, note(ids));
    await jobs.finish();
    expect(await jobs.read(job)).toMatchObject({ state: "done", done: 30, refused: 0 });
    const order = await lanes.rows<{ conversation: string }>(
      "select conversation from messages where organization = $1 and direction = 'note' order by seq",
      [home.id],
    );
    expect(order.map(({ conversation }) => conversation)).toEqual(ids);
  }, 60_000);
});

describe("receipts", () => {
  test("of an open slice outlive their days, so that it can be taken up again", async () => {
    const home = await lanes.organization({ lane: 507 });
    const jobs = testJobs(lanes, engine, jobKinds);
    const ids = await conversations(home, 2);
    const job = await jobs.ask(home, note(ids));
    // both commands are decided, and nobody has heard of it
    expect(await jobs.turn({ step: 2, when: "after" })).toBe(true);
    expect(await notesOf(home, ids)).toContain(1);
    const { maintain } = await import("../db/maintenance.ts");
    const later = new Date(Date.now() + 5 * 86_400_000).toISOString();
    await maintain(lanes.pool, { eventsDays: 400, runsDays: 30 }, later);
    await jobs.finish();
    expect(await jobs.read(job)).toMatchObject({ state: "done", done: 2 });
    expect(await notesOf(home, ids)).toEqual([1, 1]);
    // with nothing open they go
    await maintain(lanes.pool, { eventsDays: 400, runsDays: 30 }, later);
    expect(await lanes.rows("select id from receipts where organization = $1", [home.id])).toEqual([]);
    // for the tests behind this one
    await maintain(lanes.pool, { eventsDays: 400, runsDays: 30 }, new Date().toISOString());
  });

  test("are not kept for ever: what was begun too long ago is not begun again", async () => {
    const home = await lanes.organization({ lane: 508 });
    const jobs = testJobs(lanes, engine, jobKinds);
    const ids = await conversations(home, 2);
    const job = await jobs.ask(home, note(ids));
    expect(await jobs.turn({ step: 2, when: "after" })).toBe(true);
    await lanes.rows("update directory_jobs set slice_at = slice_at - interval '8 days' where id = $1", [job.id]);
    await jobs.finish();
    expect(await jobs.read(job)).toMatchObject({ state: "failed", failure: { code: "slice_too_old" } });
  });
});

test("a command of a job is as any other: with its actor, in the log", async () => {
  const home = await lanes.organization({ lane: 509 });
  const [id] = (await conversations(home, 1)) as [string];
  const jobs = testJobs(lanes, engine, jobKinds);
  await jobs.ask(home, note([id]));
  await jobs.finish();
  const direct = await engine.submit(command(home, "message.note", { conversation: id, text: "by hand" }));
  expect(direct.answer.ok).toBe(true);
  const authors = await lanes.rows("select author from messages where conversation = $1 and direction = 'note'", [id]);
  expect(authors).toEqual([{ author: home.owner }, { author: home.owner }]);
});

test("each row of a table is imported once, wherever the job is killed", async () => {
  const home = await lanes.organization({ lane: 510 });
  const jobs = testJobs(lanes, engine, jobKinds);
  const files = filesInDatabase(lanes.pool);
  let rows: string[] = [];
  await dieEverywhere(
    jobs,
    async () => {
      numbers += 10;
      rows = [1, 2, 3, 4, 5].map((n) => `p${numbers + n}@acme.test`);
      const table = `email,first_name\n${rows.map((email, n) => `${email},Row ${n}`).join("\n")}\nno address,x\n`;
      const file = await receiveTable(files, home.place, [Buffer.from(table)] as never, {
        name: "people.csv",
        by: home.owner,
        encoding: null,
        separator: null,
      });
      return jobs.ask(home, { kind: "customers.import", parameters: { file, mapping: ["email", "first_name"] } });
    },
    async (job) => {
      expect(job).toMatchObject({ state: "done", done: 5, refused: 1, total: 6 });
      const made = await lanes.rows<{ n: number }>(
        "select count(*)::int as n from customers where organization = $1 and email = any($2)",
        [home.id, rows],
      );
      expect(made).toEqual([{ n: 5 }]);
    },
  );
  const events = await lanes.rows<{ type: string; n: number }>(
    `select e ->> 'type' as type, count(*)::int as n from log, json_array_elements(events) e
where organization = $1 and e ->> 'type' like 'customer.%' group by 1`,
    [home.id],
  );
  const [{ n }] = (await lanes.rows<{ n: number }>("select count(*)::int as n from customers where organization = $1", [
    home.id,
  ])) as [{ n: number }];
  // no row changed somebody a second time
  expect(events.filter(({ type }) => type !== "customer.created")).toEqual([]);
  expect(n).toBeGreaterThan(100);
}, 120_000);

test("an export is written once, wherever it is killed", async () => {
  const home = await lanes.organization({ lane: 511 });
  await conversations(home, 5);
  const jobs = testJobs(lanes, engine, jobKinds);
  const files = filesInDatabase(lanes.pool);
  for (const kind of ["customers.export", "conversations.export"]) {
    const texts = new Set<string>();
    const deaths = await dieEverywhere(
      jobs,
      () => jobs.ask(home, { kind, parameters: { format: "jsonl" } }),
      async (job) => {
        expect(job).toMatchObject({ state: "done", done: 5, refused: 0 });
        const text = (await files.read(home.place, job.id, 0, 1_000_000)).toString();
        expect(text.trim().split("\n")).toHaveLength(5);
        texts.add(text);
      },
    );
    expect(deaths).toBeGreaterThan(10);
    // nothing is said twice or left out, so all say the same
    expect(texts.size).toBe(1);
  }
}, 120_000);

describe("a job over a filter", () => {
  test("reaches each thing once, though what is done takes it out of the filter, wherever it is killed", async () => {
    const home = await lanes.organization({ lane: 512 });
    const jobs = testJobs(lanes, engine, jobKinds);
    const filter = { field: "conversation.status", op: "is", value: "open" };
    let ids: string[] = [];
    await dieEverywhere(
      jobs,
      async () => {
        ids = await conversations(home, 5);
        return jobs.ask(home, {
          kind: "conversations.change",
          parameters: { selection: { filter }, command: "conversation.close", input: {} },
        });
      },
      async (job) => {
        expect(job).toMatchObject({ state: "done", total: 5, done: 5, refused: 0 });
        const left = await lanes.rows("select id from conversations where id = any($1) and status <> 'closed'", [ids]);
        expect(left).toEqual([]);
      },
    );
  }, 120_000);

  test("is about what its asker may read, and a user's own", async () => {
    const home = await lanes.organization({ lane: 513 });
    const jobs = testJobs(lanes, engine, jobKinds);
    const [mine, closed] = (await conversations(home, 3)) as [string, string, string];
    for (const conversation of [mine, closed])
      await engine.submit(command(home, "conversation.assign", { conversation, user: home.owner }));
    await engine.submit(command(home, "conversation.close", { conversation: closed }));
    const job = await jobs.ask(home, {
      kind: "conversations.change",
      parameters: { selection: { held_by: home.owner }, command: "message.note", input: { text: "away" } },
    });
    await jobs.finish();
    expect(await jobs.read(job)).toMatchObject({ state: "done", total: 1, done: 1 });
    expect(await notesOf(home, [mine, closed])).toEqual([1, 0]);
  });

  test("that has mistakes is refused", async () => {
    const home = await lanes.organization({ lane: 514 });
    const jobs = testJobs(lanes, engine, jobKinds);
    for (const [selection, code] of [
      [{ filter: { field: "conversation.nothing", op: "is", value: 1 } }, "filter_invalid"],
      [{ held_by: "01890000-0000-7000-8000-000000000000" }, "user_not_found"],
    ] as const)
      await expect(
        jobs.ask(home, {
          kind: "conversations.change",
          parameters: { selection, command: "conversation.close", input: {} },
        }),
      ).rejects.toThrow(code);
  });
});

test("an export from which somebody was erased meanwhile says so, and is not half a file", async () => {
  const home = await lanes.organization({ lane: 515 });
  await conversations(home, 5);
  const jobs = testJobs(lanes, engine, jobKinds);
  const ends = new Set<string>();
  for (let step = 0; ; step += 1) {
    const job = await jobs.ask(home, { kind: "customers.export", parameters: { format: "jsonl" } });
    const died = await jobs.turn({ step, when: "after" });
    await removeExports(lanes.pool, home.place);
    await jobs.finish();
    const row = await jobs.read(job);
    const file = await filesInDatabase(lanes.pool).find(home.place, job.id);
    if (row.state === "done" && file !== null) expect(file.bytes).toBeGreaterThan(5 * 100);
    else if (row.state === "failed") expect(row.failure).toMatchObject({ code: "file_gone" });
    ends.add(row.state);
    if (!died) break;
  }
  expect(ends).toEqual(new Set(["done", "failed"]));
}, 60_000);
