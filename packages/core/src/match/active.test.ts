import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileCondition } from "../condition/compile.ts";
import type { EventType } from "../domain/events.ts";
import { key } from "../domain/keys.ts";
import type { Accepted } from "../model/command.ts";
import { activate, publish } from "../testing/mill.ts";
import { scopeOf } from "../testing/scope.ts";
import { actors, ids, testId } from "../testing/settings.ts";
import { stage } from "../testing/stage.ts";
import { eventOf } from "../testing/events.ts";
import type { ActiveWorkflows, Workflows } from "./active.ts";

const note = { only: { action: "message.note", input: { text: "seen" } } };
const on = (n: number, event: EventType, more: object = {}, options = {}) =>
  publish(n, { triggers: [{ event }], steps: note, ...more }, options);

const candidatesOf = (active: ActiveWorkflows, type: EventType) => active.candidates(eventOf(type), scopeOf({}));

describe("active workflows", () => {
  test("L6: go by event type, in the order of (order, id), whatever the order they came in", () => {
    const published = [
      on(3, "message.received", { order: 1 }),
      on(1, "message.received", { order: 1 }),
      on(2, "message.received", { order: -5 }),
      on(4, "conversation.closed"),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(published, { minLength: 4 }), (shuffled) => {
        const active = activate(shuffled);
        const names = (type: EventType) => candidatesOf(active, type).map(({ version }) => version.name);
        expect(names("message.received")).toEqual(["Workflow 2", "Workflow 1", "Workflow 3"]);
        expect(names("conversation.closed")).toEqual(["Workflow 4"]);
        expect([active.listens("conversation.closed"), active.listens("conversation.opened")]).toEqual([true, false]);
        expect(names("conversation.opened")).toEqual([]);
      }),
    );
  });

  test("are found by version, and by the id or short name of the workflow", () => {
    const one = on(1, "message.received");
    const older = on(1, "message.received", { name: "Older" }, { id: testId(5999) });
    const active = activate([one], (id) => (id === older.version.id ? older.version : null));
    expect(active.version(one.version.id)).toBe(one.version);
    expect(active.version(older.version.id)).toBe(older.version);
    expect(active.version(testId(1))).toBeNull();
    expect(active.published(one.version.workflow)).toBe(one.version);
    expect(active.published("workflow-1")).toBe(one.version);
    expect(active.published("other")).toBeNull();
    expect(activate([]).version(one.version.id)).toBeNull();
  });

  test("come and go one by one, and what is left is what all of these together would be", () => {
    const versions = [1, 2, 3, 4].flatMap((n) =>
      [0, 1].map((edition) =>
        publish(
          n,
          {
            triggers: [
              { event: n % 2 === 0 ? "message.received" : "conversation.closed" },
              { event: "message.sent" },
              { time: { since: "conversation.created_at", for: "1h" } },
            ] as never,
            order: edition === 0 ? -n : n,
            steps: note,
          },
          { id: testId(6000 + 10 * n + edition) },
        ),
      ),
    );
    const moves = fc.array(fc.record({ at: fc.nat({ max: 7 }), gone: fc.boolean() }), { maxLength: 12 });
    const types = ["message.received", "message.sent", "conversation.closed"] as const;
    const view = (active: Workflows) => [
      ...types.map((type) => [
        active.listens(type),
        candidatesOf(active, type).map((one) => [one.version.id, one.index]),
      ]),
      active.timed("conversation").map((one) => one.version.id),
      [1, 2, 3, 4].map((n) => [active.published(`workflow-${n}`)?.id, active.published(testId(4000 + n))?.id]),
    ];
    fc.assert(
      fc.property(moves, (list) => {
        const active = activate([]);
        const left = new Map<string, (typeof versions)[number]>();
        for (const { at, gone } of list) {
          const { version } = versions[at]!;
          if (gone) {
            active.remove(version.workflow);
            left.delete(version.workflow);
          } else {
            active.put(versions[at]!);
            left.set(version.workflow, versions[at]!);
          }
          expect(view(active)).toEqual(view(activate([...left.values()])));
          expect(active.get(version.workflow)).toBe(left.get(version.workflow) ?? null);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("a short name that went to another workflow stays with it", () => {
    const [one, two] = [on(1, "message.received"), on(2, "message.received")];
    const active = activate([one]);
    active.put({ ...two, slug: one.slug });
    active.remove(one.version.workflow);
    expect(active.published(one.slug)).toBe(two.version);
  });

  test("a condition that cannot be made ready is looked at with every change of the customer", () => {
    const [version] = [
      publish(1, { triggers: [{ time: { since: "conversation.created_at", for: "1h" } }], steps: note }).version,
    ];
    const trigger = Object.defineProperty({ ...version.triggers[0]! }, "when", {
      get() {
        throw new Error("unreadable");
      },
    });
    const active = activate([{ slug: "one", version: { ...version, triggers: [trigger] } }]);
    expect(active.readsCustomer(["locale"])).toBe(true);
  });

  test("keep their triggers apart by kind and subject, each with its place in the document", () => {
    const time = (since: string, when?: object) => ({
      time: { since, for: "1h" },
      ...(when !== undefined && { when }),
    });
    const both = publish(1, {
      triggers: [
        { event: "message.received" },
        time("conversation.waiting_since", { field: "customer.tags", op: "contains", value: "vip" }),
        { event: "message.sent" },
        time("customer.created_at", { field: "customer.first_name", op: "is_set" }),
        { event: "message.sent" },
      ] as never,
      steps: note,
    });
    const active = activate([both]);
    expect(active.timed("conversation").map(({ index }) => index)).toEqual([1]);
    expect(active.timed("customer").map(({ index }) => index)).toEqual([3]);
    expect(active.timed("user")).toEqual([]);
    expect(candidatesOf(active, "message.sent").map(({ index }) => index)).toEqual([2, 4]);
    // what a customer's own time triggers read is looked at with the customer
    expect(active.readsCustomer(["last_name", "tags"])).toBe(true);
    expect(active.readsCustomer(["first_name"])).toBe(false);
  });

  test("a condition on the customer as a whole reads all of it", () => {
    const result = compileCondition({ field: "customer", op: "is_set" });
    const [version] = [
      publish(1, { triggers: [{ time: { since: "conversation.created_at", for: "1h" } }], steps: note }).version,
    ];
    const trigger = { ...version.triggers[0]!, when: result.ok ? result.condition : null };
    const active = activate([{ slug: "one", version: { ...version, triggers: [trigger] } }]);
    expect(active.readsCustomer(["locale"])).toBe(true);
  });
});

describe("matching", () => {
  const conditions = [
    { field: "message.text", op: "contains", value: "refund" },
    { field: "customer.first_name", op: "is", value: "Ann" },
    { not: { field: "message.text", op: "contains", value: "late" } },
    { field: "event.actor.kind", op: "is", value: "channel" },
  ];
  const drawn = fc.array(
    fc.record({
      event: fc.constantFrom<EventType>(
        "message.received",
        "conversation.opened",
        "customer.created",
        "conversation.reopened",
      ),
      when: fc.option(fc.constantFrom(...conditions), { nil: undefined }),
      mailboxes: fc.option(fc.constantFrom<string[]>(["support"], ["sales"], ["sales", "support"]), { nil: undefined }),
      order: fc.integer({ min: -2, max: 2 }),
    }),
    { maxLength: 12 },
  );

  test("L6: finds what a plain look at every workflow finds, in its order", () => {
    fc.assert(
      fc.property(
        drawn,
        fc.array(fc.constantFrom("refund", "late refund", "hi"), { minLength: 1, maxLength: 3 }),
        (specs, texts) => {
          const workflows = specs.map(({ event, when, mailboxes, order }, n) =>
            publish(n, {
              triggers: [{ event, ...(when !== undefined && event === "message.received" && { when }) }] as never,
              ...(mailboxes !== undefined && { mailboxes }),
              order,
              steps: { done: { stop: true } },
            }),
          );
          const play = stage({ workflows });
          const sorted = [...workflows].sort(
            (a, b) => a.version.order - b.version.order || (a.version.workflow < b.version.workflow ? -1 : 1),
          );
          for (const text of texts) {
            const known = new Set(play.shell.runs().map((run) => run.id));
            const from = play.shell.log.length;
            play.pass(1000);
            play.issue(
              "message.receive",
              { channel: ids.channels.sms, from: "+14155550101", text, first_name: "Ann" },
              { actor: actors.channel },
            );
            const naive: string[] = [];
            const started = new Set<string>();
            for (const event of play.shell.log.slice(from)) {
              for (const { version } of sorted) {
                const spec = specs[workflows.findIndex((each) => each.version === version)]!;
                if (spec.event !== event.type || started.has(version.workflow)) continue;
                // customer events happen in no mailbox
                if (
                  spec.mailboxes !== undefined &&
                  (event.type.startsWith("customer.") || !spec.mailboxes.includes("support"))
                )
                  continue;
                if (spec.when !== undefined && event.type === "message.received") {
                  const condition = compileCondition(spec.when);
                  const roots = {
                    event: { actor: event.actor },
                    message: play.shell.world.rows.get(key.message(event.refs.message ?? "")),
                    customer: play.shell.world.rows.get(key.customer(event.refs.customer ?? "")),
                  };
                  if (
                    !condition.ok ||
                    !condition.condition.test(scopeOf(roots, { changes: event.changes, at: event.at }))
                  )
                    continue;
                }
                started.add(version.workflow);
                naive.push(`${version.workflow} for ${event.type}`);
              }
            }
            // runs are made in the order of matching, so in that of what their root minted; the shell tells them by write
            const made = play.shell.runs().filter((run) => !known.has(run.id));
            expect(made.map((run) => `${run.workflow} for ${run.trigger.type}`).sort()).toEqual(naive.sort());
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("L6: runs of one decision go in the order of (event, order, id)", () => {
    const tag = (name: string) => ({ only: { action: "conversation.add_tags", input: { tags: [name] } } });
    const tagged = (n: number, event: EventType, order: number) =>
      publish(n, { triggers: [{ event }], order, steps: tag(`w${n}`) });
    const play = stage({
      workflows: [
        tagged(1, "message.received", -9),
        tagged(2, "conversation.opened", 5),
        tagged(4, "conversation.opened", 1),
        tagged(3, "conversation.opened", 1),
        publish(5, {
          triggers: [{ event: "customer.created" }],
          order: 99,
          steps: { only: { action: "customer.add_tags", input: { tags: ["w5"] } } },
        }),
      ],
    });
    const conversation = play.receive();
    const order = play.shell.log
      .filter((event) => event.type.endsWith("tags_added"))
      .map((event) => Object.values(event.changes[0]!.after)[0]);
    expect(order.map((tags) => (tags as string[]).at(-1))).toEqual(["w5", "w3", "w4", "w2", "w1"]);
    expect(play.conversation(conversation).tags).toEqual(["w3", "w4", "w2", "w1"]);
  });

  test("a workflow of some mailboxes minds nothing outside them", () => {
    const workflows = [
      publish(1, {
        triggers: [{ event: "conversation.tags_added" }],
        mailboxes: ["sales"],
        steps: { done: { stop: true } },
      }),
      publish(2, {
        triggers: [{ event: "conversation.tags_added" }],
        mailboxes: ["support", "sales"],
        steps: { done: { stop: true } },
      }),
      publish(3, {
        triggers: [{ event: "customer.tags_added" }],
        mailboxes: ["support"],
        steps: { done: { stop: true } },
      }),
    ];
    const play = stage({ workflows });
    const conversation = play.receive();
    play.issue("conversation.add_tags", { conversation, tags: ["a"] });
    play.issue("customer.add_tags", { customer: play.conversation(conversation).customer, tags: ["a"] });
    expect([1, 2, 3].map((n) => play.runsOf(n).length)).toEqual([0, 1, 0]);
    expect((play.issue("conversation.move", { conversation, mailbox: "sales" }) as Accepted).ok).toBe(true);
    play.issue("conversation.add_tags", { conversation, tags: ["b"] });
    expect([1, 2, 3].map((n) => play.runsOf(n).length)).toEqual([1, 2, 0]);
  });
});
