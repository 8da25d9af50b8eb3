import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply } from "../domain/decide.ts";
import { eventTypes, type EventType, isEventType, noticeTypes } from "../domain/events.ts";
import type { Row } from "../domain/rows.ts";
import { everywhere } from "../domain/reach.ts";
import { indexSettings } from "../domain/settings-index.ts";
import { canonicalJson } from "../id/canonical.ts";
import { idInstant, isId } from "../id/id.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { Message } from "../model/message.ts";
import type { Run } from "../model/run.ts";
import { isLive } from "../run/machine.ts";
import { moves, playHistory } from "../testing/histories.ts";
import { millShell, type MillShell, officeSettings, publish } from "../testing/mill.ts";
import { ids, testId } from "../testing/settings.ts";
import { stage } from "../testing/stage.ts";
import { anySetting, type Setting } from "../testing/workflows.ts";
import { tableOf } from "../testing/world.ts";
import { localDay } from "../time/local.ts";
import type { Item } from "./types.ts";

// Properties over random histories (testing/histories.ts). FC_RUNS says how many, FC_SEED which; a failure prints both.
const env = process.env as { readonly FC_RUNS?: string; readonly FC_SEED?: string };
const parameters = (runs: number) => ({
  numRuns: Number(env.FC_RUNS ?? runs),
  ...(env.FC_SEED !== undefined && { seed: Number(env.FC_SEED) }),
});
const timeout = 3_600_000;

/** Everything that a history leaves. */
function whole(shell: MillShell): unknown {
  const rows = [...shell.world.rows]
    .filter(([name]) => !name.startsWith("version/"))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const { log, replies, receipts, dropped, poisoned, leftover } = shell;
  return JSON.parse(
    canonicalJson({
      rows: Object.fromEntries(rows),
      runs: shell.runs(),
      log,
      replies,
      receipts,
      dropped,
      poisoned,
      leftover,
    }),
  );
}

/** How many items come a call, and how many operations it may take. */
type Cuts = readonly (readonly [number, number])[];
const cuts: fc.Arbitrary<Cuts> = fc
  .array(fc.tuple(fc.constantFrom(0, 1, 2, 3, 7), fc.constantFrom(1, 1, 2, 3, 5, 1000)), { minLength: 1, maxLength: 8 })
  .filter((list) => list.some(([size]) => size > 0));

/** Cuts at will; what is left over goes first, and what was not reached comes again with the next. */
function feedSplit(shell: MillShell, items: readonly Item[], parts: Cuts): void {
  let waiting: readonly Item[] = [];
  let coming = items;
  for (let n = 0; waiting.length > 0 || coming.length > 0 || shell.leftover !== null; n += 1) {
    const [size, slice] = parts[n % parts.length] as readonly [number, number];
    waiting = [...waiting, ...coming.slice(0, size)];
    coming = coming.slice(size);
    const had = shell.leftover;
    const output = shell.call(waiting, slice);
    if (had !== null && shell.leftover?.root === had.root) expect(output.done).toBe(0);
    if (had === null && waiting.length > 0) expect(output.done).toBeGreaterThan(0);
    waiting = waiting.slice(output.done);
  }
}

/** What an organization did, one item a call. */
function played(
  setting: Setting,
  list: Parameters<typeof playHistory>[1],
): { readonly shell: MillShell; readonly items: readonly Item[] } {
  const shell = millShell({ ...setting, twice: true });
  const items = playHistory(shell, list);
  expect(shell.poisoned).toEqual([]);
  return { shell, items };
}

describe("splitting", () => {
  test("L1: one call with all items leaves what one item a call leaves", { timeout }, () => {
    fc.assert(
      fc.property(anySetting, moves(30), (setting, list) => {
        const { shell, items } = played(setting, list);
        const other = millShell(setting);
        expect(other.call(items).done).toBe(items.length);
        expect(whole(other)).toEqual(whole(shell));
      }),
      parameters(120),
    );
  });

  test(
    "L1, L2: any cut of the items into calls, and of the calls by a slice, leaves the same, and nothing overtakes what is left over",
    { timeout },
    () => {
      fc.assert(
        fc.property(anySetting, moves(30), cuts, (setting, list, parts) => {
          const { shell, items } = played(setting, list);
          const other = millShell({ ...setting, twice: true });
          feedSplit(other, items, parts);
          expect(whole(other)).toEqual(whole(shell));
        }),
        parameters(120),
      );
    },
  );

  test(
    "L1: going on from what a call left, without loading it again, comes to the same; whatever it never read is found as it was written",
    { timeout },
    () => {
      fc.assert(
        fc.property(anySetting, moves(30), cuts, fc.integer({ min: 1, max: 5 }), (setting, list, parts, atOnce) => {
          const { shell, items } = played(setting, list);
          const other = millShell({ ...setting, atOnce });
          feedSplit(other, items, parts);
          expect(whole(other)).toEqual(whole(shell));
        }),
        parameters(80),
      );
    },
  );

  test(
    "L4: a world that gives only what it is asked for, row by row or in bundles, comes to the same; a decided prefix may be committed",
    { timeout },
    () => {
      fc.assert(
        fc.property(
          anySetting,
          moves(25),
          cuts,
          fc.constantFrom("rows" as const, "bundles" as const),
          fc.boolean(),
          (setting, list, parts, loading, eager) => {
            const { shell, items } = played(setting, list);
            const other = millShell({ ...setting, loading, eager, twice: true });
            if (eager) other.feed(items);
            else feedSplit(other, items, parts);
            expect(whole(other)).toEqual(whole(shell));
          },
        ),
        parameters(80),
      );
    },
  );

  test("L4: versions that are published no more are needs like any other", { timeout }, () => {
    fc.assert(
      fc.property(anySetting, moves(20), anySetting, moves(20), cuts, (setting, before, newer, after, parts) => {
        // the same workflows by id, with other documents from half-time on
        const documents = newer.documents.slice(0, setting.workflows.length);
        const workflows = documents.map((document, n) =>
          publish(n, document, { settings: setting.settings, id: testId(6000 + n) }),
        );
        const first = played(setting, before).shell;
        const older = setting.workflows.map((each) => each.version);
        const start = { more: Object.fromEntries(first.world.rows) };
        const one = millShell({ settings: setting.settings, workflows, older, start });
        const items = playHistory(
          one,
          after.map((move) => ({ ...move, ms: move.ms + 1 })),
          1,
        );
        const other = millShell({
          settings: setting.settings,
          workflows,
          older,
          start,
          loading: "bundles",
          twice: true,
        });
        feedSplit(other, items, parts);
        expect(whole(other)).toEqual(whole(one));
      }),
      parameters(40),
    );
  });

  test("L1: kept from a failing seed: runs that wait are interrupted by their ids, not in the order in which they began to wait", () => {
    const steps = {
      hold: { wait: { for: "1h", unless: "conversation.assigned" }, next: "hold", onInterrupt: "say" },
      say: { action: "message.note", input: { text: "x" } },
    };
    const workflows = [publish(1, { triggers: [{ event: "message.received" }], steps })];
    const play = stage({ workflows });
    const conversation = play.receive();
    play.pass(1000);
    play.receive();
    // the first comes to wait again, behind the second
    play.ringNext();
    play.issue("conversation.assign", { conversation, user: ids.users.ben });
    const other = millShell({ workflows });
    other.feed(play.items);
    expect(whole(other)).toEqual(whole(play.shell));
    expect(play.runsOf(1).map((run) => run.status)).toEqual(["finished", "finished"]);
  });

  test("L1: kept from a failing seed: cancelling a run that is over answers the same in its batch and after it", () => {
    const workflows = [publish(1, { kind: "manual", steps: { done: { stop: true } } })];
    const play = stage({ workflows });
    const answer = play.issue("run.start", { workflow: "workflow-1" });
    play.issue("run.cancel", { run: answer.ok ? (answer.result["run"] as string) : "" });
    const other = millShell({ workflows });
    other.feed(play.items);
    expect(whole(other)).toEqual(whole(play.shell));
    expect(play.shell.replies.at(-1)?.answer).toMatchObject({ code: "run_not_found" });
  });
});

describe("what comes back from the database", () => {
  const properties = { zebra: 1, ab: 2, "10": { y: 1, longer: [2] }, c: 3 };
  const say = (text: string) => ({ action: "message.note", input: { text } });
  const asked = [
    "{% for each in customer.properties %}{{ each[0] }} {% endfor %}",
    "{{ customer.properties }}{{ customer.properties | json }}{{ message.size }}",
    "{% if customer.properties.one == customer.properties.two %}same{% endif %}",
  ].join("|");
  const workflows = [
    publish(1, {
      triggers: [{ event: "message.received", when: { field: "message.text", op: "is", value: "go" } }],
      steps: {
        early: { ...say(asked), next: "hold" },
        hold: { wait: { for: "1m" }, next: "late" },
        late: { ...say(asked), next: "branch" },
        branch: { branch: [{ when: { field: "customer.properties", op: "is_set" } }] },
      },
    }),
  ];
  const notesOf = (shell: MillShell) =>
    tableOf<Message>(shell.world.rows, "messages")
      .filter((row) => row.direction === "note")
      .map((row) => row.text);

  test("L1: reads the same as before, whatever the order in which its members stand", () => {
    const play = stage({ workflows });
    const customer = play.conversation(play.receive()).customer;
    play.issue("customer.upsert", { customer, properties });
    const pair = { b: [1, { d: 1, c: 2 }], a: 1 };
    play.issue("customer.upsert", { customer, properties: { one: pair, two: { ...pair } } });
    play.receive("go");
    play.ringNext();
    const other = millShell({ workflows });
    expect(other.call(play.items).done).toBe(play.items.length);
    expect(whole(other)).toEqual(whole(play.shell));
    const [early, late] = notesOf(play.shell);
    expect(late).toBe(early);
    expect(early).toMatch(/^10 ab c one two zebra \|\{"10":\{"longer":\[2\],"y":1\},"ab":2,"c":3,"one":.*same$/);
  });
});

describe("what every history keeps", () => {
  /** A property of whatever an organization did. */
  const everyHistory = (
    check: (shell: MillShell, setting: Setting, items: readonly Item[]) => void,
    settings = anySetting,
  ): void => {
    fc.assert(
      fc.property(settings, moves(40), (setting, list) => {
        const { shell, items } = played(setting, list);
        check(shell, setting, items);
      }),
      parameters(60),
    );
  };

  test("L12: folding the log gives the logged columns, in every history", { timeout }, () => everyHistory(expectFold));
  test("L5: ids are of their instant, and no two are the same, in every history", { timeout }, () =>
    everyHistory(expectIds),
  );
  test("L6: one decision starts at most one run of a workflow for a subject, in every history", { timeout }, () =>
    everyHistory(expectOneRunADecision),
  );
  test(
    "L7: no root spends more than its allowance, and nobody too deep takes a step, in every history",
    { timeout },
    () => everyHistory(expectAllowance),
  );
  test("every event brings the facts that its type says, and no others, in every history", { timeout }, () =>
    everyHistory(({ log }) => {
      for (const { type, data } of log.filter((event) => isEventType(event.type)))
        expect([type, Object.keys(data ?? {}).sort()]).toEqual([
          type,
          [...(eventTypes[type as EventType].facts ?? [])].sort(),
        ]);
    }),
  );
  test("L15: no counter is overrun, in every history", { timeout }, () => everyHistory(expectCounters));
  test("D1, L3: every command is answered once, and a key's answer never changes", { timeout }, () =>
    everyHistory(expectReplies),
  );
  test(
    "D6: every run that ended otherwise than by its last step says why; what waits has its timer, and nothing else has, in every history",
    { timeout },
    () => everyHistory(expectRuns),
  );

  test("L6: nothing waits on after an event that ends its wait, in every history", { timeout }, () => {
    // in each of them somebody waits for what happens often
    const waiting = ["customer.state_changed", "conversation.closed", "customer.tags_added"].map((unless, n) =>
      publish(90 + n, { triggers: [{ event: "message.received" }], steps: { hold: { wait: { unless } } } }),
    );
    const settings = anySetting.map((setting) => ({ ...setting, workflows: [...setting.workflows, ...waiting] }));
    everyHistory(expectInterrupted, settings);
  });
  test("D6: who started a run by a command is in its row and in the log, in every history", { timeout }, () =>
    everyHistory(expectStarters),
  );

  /** Conditions that cannot be tested, deliveries that fail, runs that replace each other. */
  const trouble = (): MillShell => {
    const faulty = { field: "message.text", op: "gt", value: 1 };
    const steps = {
      send: { action: "message.send", input: { text: "a" }, await: true, next: "hold" },
      hold: { wait: { for: "1m", unless: "message.sent" } },
    };
    const play = stage({
      workflows: [
        publish(1, { triggers: [{ event: "message.received", when: faulty }], steps }),
        publish(2, {
          triggers: [{ event: "message.received" }, { event: "message.sent" }, { event: "message.delivery_changed" }],
          when_running: "replace",
          steps,
        } as never),
        publish(3, {
          triggers: [{ event: "message.received" }, { time: { since: "conversation.waiting_since", for: "1m" } }],
          steps,
        }),
      ],
    });
    for (let n = 0; n < 6; n += 1) {
      play.receive(n % 2 === 0 ? "words" : "12");
      play.ringNext();
      for (const effect of play.shell.effects().slice(0, 2)) {
        play.settle(
          effect.id,
          n % 2 === 0 ? { status: "done", output: {} } : { status: "failed", error: { code: "no", message: "no" } },
        );
      }
    }
    expect(play.shell.runs().length).toBeGreaterThan(10);
    return play.shell;
  };

  test("L12: folding the log gives the logged columns, also where everything goes wrong at once", () =>
    expectFold(trouble()));
  test("L5: ids are of their instant, and no two are the same, also where everything goes wrong at once", () =>
    expectIds(trouble()));
  test("L6: one decision starts at most one run of a workflow for a subject, also where everything goes wrong at once", () => {
    expectOneRunADecision(trouble());
    expectRuns(trouble());
  });

  test("D4: the same call gives the same bytes, and no input is written to", () => {
    // every shell above was asked twice, and everything that it was given is frozen; here it is seen that both would show
    const shell = millShell({ twice: true });
    const item = (at: string): Item => ({ kind: "timer", at, run: testId(1), wait: 1 });
    expect(() => shell.call([item("2026-11-20T17:00:00.000Z")])).not.toThrow();
    let n = 0;
    const world = { ...shell.config.settings, reach: () => ((n += 1) % 2 === 0 ? everywhere : null) };
    shell.config = { ...shell.config, settings: world };
    const command = {
      type: "conversation.open",
      actor: { kind: "user", id: ids.users.ada },
      input: { conversation: testId(9) },
    } as const;
    expect(() => shell.call([{ kind: "command", id: testId(2), at: "2026-11-20T17:00:00.000Z", command }])).toThrow(
      "something else",
    );
    expect(() => Object.assign(shell.config.settings.all.organization, { name: "x" })).toThrow(TypeError);
  });

  test("L5, D5: another organization's items shift no id, and the same item has other ids there", () => {
    const other = indexSettings({ ...officeSettings, organization: { ...officeSettings.organization, id: testId(2) } });
    const [mine, theirs] = [stage(), stage({ settings: other })];
    mine.receive();
    theirs.receive();
    mine.receive();
    const alone = stage();
    alone.receive();
    alone.receive();
    expect(whole(mine.shell)).toEqual(whole(alone.shell));
    const [a, b] = [mine, theirs].map((play) => new Set(play.shell.log.map((event) => event.id)));
    expect([...(a as Set<string>)].filter((id) => b?.has(id))).toEqual([]);
    expect(theirs.shell.log[0]?.at).toBe(mine.shell.log[0]?.at);
  });

  test("the histories are not dull: every kind of item, run and step comes about", { timeout }, () => {
    const seen = new Set<string>();
    for (const [setting, list] of fc.sample(fc.tuple(anySetting, moves(30)), { numRuns: 300, seed: 20_261_120 })) {
      const { shell, items } = played(setting, list);
      for (const item of [...items, ...shell.dropped]) seen.add(`item ${item.kind}`);
      for (const item of shell.dropped) seen.add(`dropped ${item.kind}`);
      for (const event of shell.log) if (event.type in noticeTypes) seen.add(`event ${event.type}`);
      for (const reply of shell.replies) if (reply.repeated) seen.add("repeated");
      for (const row of tableOf<ConversationRow>(shell.world.rows, "conversations")) {
        if (Object.keys(row.other_channels).length > 0) seen.add("several channels");
        if (row.merged_into !== null && Object.keys(row.other_channels).length > 0)
          seen.add("several channels, merged");
      }
      for (const run of shell.runs()) {
        seen.add(`run ${run.status}`);
        if (run.reason !== null) seen.add(`reason ${run.reason.code}`);
        if (run.trigger.type === "time") seen.add("by time");
        if (run.depth > 2) seen.add("deep");
        if (startedAbout(shell, run) !== run.subject) seen.add(`moved with a merge, ${run.status}`);
        for (const step of run.steps) if (step.kind === "conversation.merge") seen.add(`merge ${step.status}`);
        for (const step of run.steps) seen.add(`step ${step.kind.includes(".") ? "action" : step.kind} ${step.status}`);
      }
    }
    const expected = [
      ...["command", "settled", "timer", "wake"].map((kind) => `item ${kind}`),
      ...["settled", "timer"].map((kind) => `dropped ${kind}`),
      ...["waiting", "finished", "failed", "stopped", "cancelled", "skipped"].map((status) => `run ${status}`),
      ...[
        "allowance",
        "chain_depth",
        "runs_per_day",
        "storm_brake",
        "already_running",
        "replaced",
        "cancelled",
        "too_many_automated_messages",
        "operand_invalid",
        "rejected",
      ].map((code) => `reason ${code}`),
      ...[
        "action done",
        "action failed",
        "action waiting",
        "branch done",
        "branch failed",
        "wait waiting",
        "wait done",
        "wait interrupted",
        "wait failed",
        "stop done",
      ].map((step) => `step ${step}`),
      ...Object.keys(noticeTypes).map((type) => `event ${type}`),
      "by time",
      "deep",
      "moved with a merge, finished",
      "moved with a merge, waiting",
      "merge done",
      "several channels",
      "several channels, merged",
      "repeated",
    ];
    expect(expected.filter((each) => !seen.has(each))).toEqual([]);
  });
});

const engineFields = new Set(["wake_at", "fired", "guards"]);

function expectFold(shell: MillShell): void {
  const folded = new Map<string, Row>();
  for (const event of shell.log) apply(event, folded);
  const logged = (row: object) => Object.fromEntries(Object.entries(row).filter(([field]) => !engineFields.has(field)));
  const rows = [...shell.world.rows].filter(([name]) => /^(customers|conversations|messages)\//.test(name));
  expect(new Map(rows.map(([name, row]) => [name, logged(row as object)]))).toEqual(
    new Map([...folded].map(([name, row]) => [name, logged(row)])),
  );
}

function expectIds(shell: MillShell): void {
  const made = [
    ...shell.log.map(({ id, at }) => ({ id, at })),
    ...shell.runs().map((run) => ({ id: run.id, at: run.started_at })),
    ...["customers", "conversations", "messages", "effects"].flatMap((table) =>
      tableOf<{ id: string; created_at: string }>(shell.world.rows, table).map((row) => ({
        id: row.id,
        at: row.created_at,
      })),
    ),
  ];
  expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
  for (const { id, at } of made) expect([isId(id), idInstant(id)]).toEqual([true, at]);
}

function expectOneRunADecision(shell: MillShell): void {
  const events = new Map(shell.log.map((event) => [event.id, event]));
  const seen = new Set<string>();
  for (const run of shell.runs()) {
    const event = run.trigger.event === null ? undefined : events.get(run.trigger.event);
    if (event === undefined) continue;
    const decision = `${event.root} ${event.cause.run} ${event.cause.step} ${run.workflow} ${startedAbout(shell, run)}`;
    expect(seen.has(decision)).toBe(false);
    seen.add(decision);
    expect([run.root, run.started_at, run.depth]).toEqual([event.root, event.at, event.depth + 1]);
  }
}

function expectRuns(shell: MillShell): void {
  const timers = new Map(shell.timers().map((timer) => [timer.run, timer]));
  const effects = new Map(shell.effects().map((effect) => [effect.id, effect]));
  for (const run of shell.runs()) {
    expect(run.status).not.toBe("queued");
    expect([run.finished_at === null, run.cursor !== null, run.waiting !== null]).toEqual(
      Array(3).fill(isLive(run.status)),
    );
    if (run.status !== "finished" && run.status !== "waiting")
      expect(run.reason).toMatchObject({ code: expect.any(String), message: expect.any(String) });
    if (run.status === "waiting") expectWaiting(run, timers, effects);
    else expect(timers.has(run.id)).toBe(false);
    timers.delete(run.id);
    expect(run.steps.filter((step) => step.status === "waiting")).toHaveLength(run.status === "waiting" ? 1 : 0);
    for (const step of run.steps) if (step.status === "failed") expect(step.reason?.code).toEqual(expect.any(String));
  }
  expect([...timers]).toEqual([]);
}

function expectInterrupted(shell: MillShell): void {
  // who is about whom changes with a merge: its own tests tell what becomes of these
  const merged = ["customers", "conversations"].flatMap((table) =>
    tableOf<{ id: string; merged_into: string | null }>(shell.world.rows, table).flatMap(({ id, merged_into }) =>
      merged_into === null ? [] : [id, merged_into],
    ),
  );
  for (const run of shell.runs()) {
    const unless = run.waiting?.unless ?? null;
    if (unless === null || merged.includes(run.subject) || merged.includes(run.customer ?? "")) continue;
    const since = run.steps.at(-1)?.at as string;
    const about = run.subject_kind === "conversation" && unless.startsWith("customer.") ? run.customer : run.subject;
    const ended = shell.log.filter(
      ({ type, at, refs }) =>
        type === unless && at > since && about !== null && new Set(Object.values(refs)).has(about),
    );
    expect(ended).toEqual([]);
  }
}

function expectStarters(shell: MillShell): void {
  const told = (type: string) =>
    new Map(shell.log.filter((event) => event.type === type).map((event) => [event.data?.["run"], event.actor]));
  const [started, cancelled] = [told("run.started"), told("run.cancelled")];
  for (const run of shell.runs()) {
    expect(run.started_by).toEqual(run.trigger.type === "run.start" ? started.get(run.id) : null);
    expect(run.ended_by).toEqual(run.reason?.code === "cancelled" ? cancelled.get(run.id) : null);
    started.delete(run.id);
    cancelled.delete(run.id);
  }
  expect([...started, ...cancelled]).toEqual([]);
}

function expectWaiting(
  run: Run,
  timers: ReadonlyMap<string, { readonly wait: number; readonly due_at: string }>,
  effects: ReadonlyMap<string, { readonly run: string | null; readonly status: string }>,
): void {
  const { waiting } = run;
  const timer = timers.get(run.id);
  expect(waiting?.wait).toBe(run.waits);
  expect(run.steps.at(-1)).toMatchObject({ step: waiting?.step, status: "waiting" });
  if (waiting?.due_at === null) expect(timer).toBeUndefined();
  else {
    expect(timer).toMatchObject({ wait: waiting?.wait, due_at: waiting?.due_at });
    // a wait lasts a second at least, or splitting would show
    expect(Date.parse(waiting?.due_at as string) - Date.parse(run.steps.at(-1)?.at as string)).toBeGreaterThanOrEqual(
      1000,
    );
  }
  if (waiting?.effect !== null)
    expect(effects.get(waiting?.effect as string)).toMatchObject({ run: run.id, status: "due" });
}

function expectCounters(shell: MillShell, { settings, workflows }: Setting): void {
  const { limits, zone } = settings.organization;
  const began = new Map<string, number>();
  const rows = new Map<string, number>();
  for (const run of shell.runs()) {
    if (!["conversation", "customer"].includes(run.subject_kind)) continue;
    const name = `${run.workflow} ${run.subject} ${localDay(run.started_at, zone)}`;
    const version = workflows.find((each) => each.version.workflow === run.workflow)?.version;
    const most = version?.runsPerDay ?? limits.runs_per_subject_per_day;
    // runs that moved with a merge were let start by the counters of what they were about then
    const subjects = mergedInto(shell, run.subject);
    // beyond the limit there is one that says so, whatever else was to start; who asks by name gets one each time
    if (run.trigger.type !== "run.start") rows.set(name, (rows.get(name) ?? 0) + 1);
    expect(rows.get(name) ?? 0).toBeLessThanOrEqual((most + 1) * subjects);
    // a run that was interrupted and one that failed in matching have started, or not, by their steps
    if (run.steps.length === 0) continue;
    began.set(name, (began.get(name) ?? 0) + 1);
    expect(began.get(name)).toBeLessThanOrEqual(most * subjects);
  }
  const customers = tableOf<{ id: string; merged_into: string | null }>(shell.world.rows, "customers");
  if (customers.some((row) => row.merged_into !== null)) return;
  const sent = tableOf<Message>(shell.world.rows, "messages").filter(
    (row) => row.automated && row.direction === "outbound",
  );
  for (const { customer, created_at } of sent) {
    const since = Date.parse(created_at) - 3_600_000;
    const within = sent.filter(
      (row) => row.customer === customer && row.created_at <= created_at && Date.parse(row.created_at) > since,
    );
    expect(within.length).toBeLessThanOrEqual(limits.automated_messages_per_hour);
  }
}

/** What a run was about at its start: a merge since then may have moved it. */
function startedAbout(shell: MillShell, run: Run): string {
  const event = shell.log.find((each) => each.id === run.trigger.event);
  if (event === undefined) return run.subject;
  const { subject } = eventTypes[event.type as EventType];
  return (event.refs as Readonly<Record<string, string>>)[subject] as string;
}

/** How many rows a subject stands for, itself among them. */
function mergedInto(shell: MillShell, subject: string): number {
  const rows = ["customers", "conversations"].flatMap((table) =>
    tableOf<{ id: string; merged_into: string | null }>(shell.world.rows, table),
  );
  const sources = rows.filter((row) => row.merged_into === subject);
  return sources.reduce((sum, row) => sum + mergedInto(shell, row.id), 1);
}

function expectAllowance(shell: MillShell, { settings }: Setting): void {
  const { limits } = settings.organization;
  const steps = new Map<string, number>();
  for (const run of shell.runs()) {
    if (run.depth > limits.chain_depth) expect(run.steps).toEqual([]);
    // steps after a wait are of another root
    for (const step of run.steps) if (step.at === run.started_at) steps.set(run.root, (steps.get(run.root) ?? 0) + 1);
  }
  for (const count of steps.values()) expect(count).toBeLessThan(limits.allowance);
}

function expectReplies(shell: MillShell, _setting: Setting, items: readonly Item[]): void {
  const asked = items.filter((item) => item.kind === "command");
  expect(shell.replies.map((reply) => reply.command)).toEqual(asked.map((item) => item.id));
  expect(shell.receipts.map((receipt) => receipt.id)).toEqual(
    shell.replies.filter((reply) => !reply.repeated).map((reply) => reply.command),
  );
  const first = new Map<string, unknown>();
  for (const [n, { answer, repeated }] of shell.replies.entries()) {
    const { key } = asked[n] as Extract<Item, { kind: "command" }>;
    if (key === undefined) continue;
    expect(repeated).toBe(first.has(key));
    if (repeated) expect(answer).toEqual(first.get(key));
    else first.set(key, answer);
  }
}
