import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Accepted } from "../model/command.ts";
import type { ConversationRow } from "../model/conversation.ts";
import { officeSettings, publish } from "../testing/mill.ts";
import { ids, testId } from "../testing/settings.ts";
import { stage, type Stage } from "../testing/stage.ts";
import { conversationRow } from "../testing/world.ts";
import { openSecondsBetween } from "../time/calendar.ts";
import { addMs } from "../time/instant.ts";

const office = officeSettings.calendars[0]!.calendar;
const beginning = "2026-11-20T17:00:00.000Z";
const second = 1000;
const minute = 60_000;
const hour = 3_600_000;
const note = { only: { action: "message.note", input: { text: "late" } } } as const;
const waited = (time: string, when?: object, more: object = {}) => ({
  triggers: [
    { time: { since: "conversation.waiting_since", for: time, ...more }, ...(when !== undefined && { when }) },
  ] as never,
  steps: note,
});
const starts = (play: Stage, n = 1) => play.runsOf(n).map((run) => run.started_at);

/** Rings what falls due until an instant, to the millisecond. */
function ringUntil(play: Stage, until: string): void {
  for (let n = 0; n < 500; n += 1) {
    const wakes = [...play.shell.world.rows].flatMap(([name, row]) =>
      /^(conversations|customers)\//.test(name) ? [(row as ConversationRow).wake_at] : [],
    );
    const next = wakes.filter((at): at is string => at !== null).sort()[0];
    if (next === undefined || next > until) break;
    if (next > play.now()) play.pass(Date.parse(next) - Date.parse(play.now()));
    play.ring();
  }
  play.pass(Date.parse(until) - Date.parse(play.now()));
}

describe("time triggers", () => {
  test("L14: fire once for each anchor, at their instant", () => {
    const play = stage({ workflows: [publish(1, waited("10m"))] });
    const conversation = play.receive();
    expect(play.conversation(conversation).wake_at).toBe(addMs(beginning, 10 * minute));
    ringUntil(play, addMs(beginning, hour));
    expect(starts(play)).toEqual([addMs(beginning, 10 * minute)]);
    // the same anchor is done with, whatever happens
    play.receive("again");
    play.issue("conversation.add_tags", { conversation, tags: ["a"] });
    ringUntil(play, addMs(beginning, 2 * hour));
    expect(starts(play)).toHaveLength(1);
    expect(play.conversation(conversation)).toMatchObject({ wake_at: null, fired: { [testId(4001)]: beginning } });
    // another one fires again
    play.issue("message.send", { conversation, text: "here" });
    const anchor = play.now();
    play.receive("more");
    ringUntil(play, addMs(beginning, 4 * hour));
    expect(starts(play)).toEqual([addMs(beginning, 10 * minute), addMs(anchor, 10 * minute)]);
    expect(play.runsOf(1)[0]).toMatchObject({
      trigger: { type: "time", event: null, index: 0 },
      subject: conversation,
      depth: 1,
    });
  });

  test("L14: wake_at is moved earlier at once, and later only when it rings early", () => {
    const play = stage({ workflows: [publish(1, waited("10m"))] });
    const conversation = play.receive();
    play.issue("message.send", { conversation, text: "here" });
    // answered: nothing is due, but the row's clock is let be
    expect(play.conversation(conversation)).toMatchObject({
      waiting_since: null,
      wake_at: addMs(beginning, 10 * minute),
    });
    play.pass(minute);
    play.receive();
    expect(play.conversation(conversation).wake_at).toBe(addMs(beginning, 10 * minute));
    ringUntil(play, addMs(beginning, 10 * minute + second));
    expect([starts(play), play.conversation(conversation).wake_at]).toEqual([[], addMs(beginning, 11 * minute)]);
    ringUntil(play, addMs(beginning, hour));
    expect(starts(play)).toEqual([addMs(beginning, 11 * minute)]);
  });

  test("L14: the rest of the condition is tested again on the events of the subject", () => {
    const play = stage({
      workflows: [publish(1, waited("10m", { field: "conversation.tags", op: "contains", value: "vip" }))],
    });
    const conversation = play.receive();
    ringUntil(play, addMs(beginning, hour));
    expect(starts(play)).toEqual([]);
    play.issue("conversation.add_tags", { conversation, tags: ["vip"] });
    expect(starts(play)).toEqual([addMs(beginning, hour)]);
  });

  test("L14: and on those of its customer, as far as the condition reads it", () => {
    const play = stage({
      workflows: [publish(1, waited("10m", { field: "customer.tags", op: "contains", value: "vip" }))],
    });
    const conversation = play.receive();
    const { customer } = play.conversation(conversation);
    ringUntil(play, addMs(beginning, hour));
    play.issue("customer.assign", { customer, user: ids.users.ben });
    expect(starts(play)).toEqual([]);
    play.issue("customer.add_tags", { customer, tags: ["vip"] });
    expect(starts(play)).toEqual([addMs(beginning, hour)]);
  });

  test("L14: what its customer is follows a merge", () => {
    const play = stage({
      workflows: [publish(1, waited("10m", { field: "customer.tags", op: "contains", value: "vip" }))],
    });
    const conversation = play.receive();
    const { customer } = play.conversation(conversation);
    const into = (play.issue("customer.upsert", { email: "ann@example.com" }) as Accepted).result["customer"] as string;
    play.issue("customer.add_tags", { customer: into, tags: ["vip"] });
    ringUntil(play, addMs(beginning, hour));
    expect(starts(play)).toEqual([]);
    play.issue("customer.merge", { customer, into });
    // a merge changes the target's counts, not its tags; the next event of the conversation sees it
    play.issue("conversation.set_topic", { conversation, topic: "x" });
    expect(play.runsOf(1)).toMatchObject([{ started_at: addMs(beginning, hour), customer: into }]);
  });

  test("L14: a clause that the clock alone makes true rings for itself", () => {
    const when = { field: "conversation.last_inbound_at", op: "not_in_last", value: "3h" };
    const play = stage({ workflows: [publish(1, waited("10m", when))] });
    const conversation = play.receive();
    ringUntil(play, addMs(beginning, 10 * minute));
    expect(play.conversation(conversation).wake_at).toBe(addMs(beginning, 3 * hour + 1));
    ringUntil(play, addMs(beginning, 5 * hour));
    expect(starts(play)).toEqual([addMs(beginning, 3 * hour + 1)]);
  });

  test("L14: mind what falls due from their publication on", () => {
    const publishedAt = addMs(beginning, hour);
    const plays = [30 * minute, hour].map((ms) => {
      const play = stage({ workflows: [publish(1, waited(`${ms / minute}m`), { publishedAt })] });
      play.receive();
      ringUntil(play, addMs(beginning, 3 * hour));
      return starts(play);
    });
    expect(plays).toEqual([[], [addMs(beginning, hour)]]);
  });

  test("L14: a trigger that took over fires for what was due when its version was published, and not yet true", () => {
    const publishedAt = addMs(beginning, hour);
    const vip = { field: "conversation.tags", op: "contains", value: "vip" };
    const plays = [{}, { dueFrom: { 0: beginning } }].map((options) => {
      const play = stage({ workflows: [publish(1, waited("30m", vip), { publishedAt, ...options })] });
      const conversation = play.receive();
      ringUntil(play, addMs(beginning, 2 * hour));
      play.issue("conversation.add_tags", { conversation, tags: ["vip"] });
      return starts(play);
    });
    expect(plays).toEqual([[], [addMs(beginning, 2 * hour)]]);
  });

  test("L6: and an event's trigger start one run in a decision; the other comes with the next", () => {
    const both = publish(1, {
      triggers: [
        { event: "conversation.tags_added" },
        {
          time: { since: "conversation.waiting_since", for: "10m" },
          when: { field: "conversation.tags", op: "contains", value: "vip" },
        },
      ] as never,
      steps: note,
    });
    const play = stage({ workflows: [both] });
    const conversation = play.receive();
    ringUntil(play, addMs(beginning, hour));
    play.issue("conversation.add_tags", { conversation, tags: ["vip"] });
    expect(play.runsOf(1)).toMatchObject([{ trigger: { type: "conversation.tags_added" } }]);
    expect(play.conversation(conversation).wake_at).toBe(addMs(beginning, hour + 1));
    ringUntil(play, addMs(beginning, 2 * hour));
    expect(play.runsOf(1).map((run) => run.trigger.type)).toEqual(["conversation.tags_added", "time"]);
  });

  test("L8: whose condition cannot be tested are failed runs, once", () => {
    const faulty = publish(1, waited("10m", { field: "conversation.address", op: "in_last", value: "1h" }));
    const play = stage({ workflows: [publish(2, waited("10m")), faulty] });
    const conversation = play.receive();
    ringUntil(play, addMs(beginning, hour));
    play.issue("conversation.add_tags", { conversation, tags: ["a"] });
    expect(play.runsOf(1)).toMatchObject([{ status: "failed", steps: [] }]);
    expect(play.runsOf(2)).toMatchObject([{ status: "finished" }]);
  });

  test("of other mailboxes mind nothing here", () => {
    const play = stage({
      workflows: [
        publish(1, { ...waited("10m"), mailboxes: ["sales"] }),
        publish(2, { ...waited("10m"), mailboxes: ["support"] }),
      ],
    });
    const conversation = play.receive();
    ringUntil(play, addMs(beginning, hour));
    expect([starts(play, 1), starts(play, 2)]).toEqual([[], [addMs(beginning, 10 * minute)]]);
    play.issue("conversation.move", { conversation, mailbox: "sales" });
    expect(starts(play, 1)).toEqual([addMs(beginning, hour)]);
  });

  test("of customers count from the customer's own instants", () => {
    const play = stage({
      workflows: [
        publish(1, {
          triggers: [{ time: { since: "customer.created_at", for: "30m" } }],
          steps: { tag: { action: "customer.add_tags", input: { tags: ["old"] } } },
        }),
      ],
    });
    const { customer } = play.conversation(play.receive());
    ringUntil(play, addMs(beginning, hour));
    expect(play.runsOf(1)).toMatchObject([
      {
        subject_kind: "customer",
        subject: customer,
        customer,
        conversation: null,
        started_at: addMs(beginning, 30 * minute),
      },
    ]);
    expect(play.customer(customer)).toMatchObject({ tags: ["old"], fired: { [testId(4001)]: beginning } });
  });

  test("a calendar that is gone, or an instant beyond all calendars, fires nothing and harms nobody", () => {
    const gone = publish(1, waited("1h", undefined, { in: "moon" }));
    const far = publish(2, { triggers: [{ time: { since: "conversation.snoozed_until", for: "1d" } }], steps: note });
    const play = stage({ workflows: [gone, far] });
    const conversation = play.receive();
    play.issue("conversation.snooze", { conversation, until: "9999-12-31T23:00:00.000Z" });
    expect([play.conversation(conversation).status, play.shell.poisoned, play.shell.runs()]).toEqual([
      "snoozed",
      [],
      [],
    ]);
  });

  test("a merged subject's clock is stopped", () => {
    const play = stage({ workflows: [publish(1, waited("10m"))] });
    const conversation = play.receive();
    const other = (
      play.issue("conversation.start", {
        channel: "whatsapp",
        customer: play.conversation(conversation).customer,
      }) as Accepted
    ).result["conversation"] as string;
    play.issue("conversation.merge", { conversation, into: other });
    ringUntil(play, addMs(beginning, hour));
    expect(play.conversation(conversation).wake_at).toBeNull();
    expect(play.runsOf(1)).toMatchObject([{ subject: other }]);
  });

  test("a conversation whose customer cannot be found keeps its clock", () => {
    const row = conversationRow({
      id: testId(401),
      customer: testId(301),
      mailbox: ids.mailboxes.support,
      channel: ids.channels.sms,
      address: "+1",
      waiting_since: beginning,
      wake_at: beginning,
    });
    const play = stage({ workflows: [publish(1, waited("10m"))], start: { conversations: [row] } });
    ringUntil(play, addMs(beginning, hour));
    expect(play.runsOf(1)).toMatchObject([
      { conversation: row.id, customer: row.customer, started_at: addMs(beginning, 10 * minute) },
    ]);
  });

  test("a wake of a subject that is gone is nothing", () => {
    const play = stage();
    for (const kind of ["conversation", "customer"] as const)
      play.give({ kind: "wake", at: play.now(), subject: { kind, id: testId(999) } });
    expect([play.shell.world.rows.size, play.shell.poisoned]).toEqual([0, []]);
  });
});

describe("snoozes", () => {
  test("end by themselves, and what that sets off runs", () => {
    const play = stage({ workflows: [publish(1, { triggers: [{ event: "conversation.reopened" }], steps: note })] });
    const conversation = play.receive();
    play.issue("conversation.snooze", { conversation, until: addMs(beginning, hour) });
    expect(play.conversation(conversation).wake_at).toBe(addMs(beginning, hour));
    // an early ring changes nothing
    play.give({ kind: "wake", at: addMs(beginning, minute), subject: { kind: "conversation", id: conversation } });
    expect(play.conversation(conversation)).toMatchObject({ status: "snoozed", wake_at: addMs(beginning, hour) });
    ringUntil(play, addMs(beginning, 2 * hour));
    expect(play.conversation(conversation)).toMatchObject({ status: "open", snoozed_until: null, wake_at: null });
    expect(starts(play)).toEqual([addMs(beginning, hour)]);
    expect(play.shell.log.find((event) => event.type === "conversation.reopened")).toMatchObject({
      actor: { kind: "system", id: null },
      cause: {},
      depth: 0,
    });
  });

  test("until the customer writes have no instant", () => {
    const play = stage();
    const conversation = play.receive();
    play.issue("conversation.snooze", { conversation });
    expect(play.conversation(conversation).wake_at).toBeNull();
    play.receive();
    expect(play.conversation(conversation).status).toBe("open");
  });
});

describe("against a look at every second", () => {
  const moves = fc.array(
    fc.record({
      seconds: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 1500 })),
      what: fc.constantFrom("receive", "receive", "reply", "tag", "untag", "close", "vip", "no vip"),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const triggers = fc.record({
    since: fc.constantFrom("waiting_since", "waiting_since", "created_at", "last_inbound_at", "closed_at"),
    length: fc.constantFrom(1, 60, 600, 1800),
    in: fc.constantFrom(undefined, undefined, "office"),
    when: fc.constantFrom(undefined, "tagged", "vip", "neither"),
    published: fc.constantFrom(0, 0, 700),
  });
  const tagged = { field: "conversation.tags", op: "contains", value: "a" };
  const vip = { field: "customer.tags", op: "contains", value: "vip" };
  const conditions = { tagged, vip, neither: { not: { any: [tagged, vip] } } };

  test("L14: a trigger fires when its whole condition first holds, once an anchor", () => {
    fc.assert(
      fc.property(triggers, moves, ({ since, length, in: calendar, when, published }, list) => {
        // five minutes before the office closes, so that open time means something
        const start = "2026-11-20T21:55:00.000Z";
        const publishedAt = published === 0 ? beginning : addMs(start, published * second);
        const document = {
          triggers: [
            {
              time: {
                since: `conversation.${since}`,
                for: `${length}s`,
                ...(calendar !== undefined && { in: calendar }),
              },
              ...(when !== undefined && { when: conditions[when] }),
            },
          ],
          steps: { only: { stop: true } },
          limits: { runs_per_day: 1000 },
        };
        const play = stage({ workflows: [publish(1, document as never, { publishedAt })] });
        play.pass(Date.parse(start) - Date.parse(play.now()));
        const conversation = play.receive();
        const { customer } = play.conversation(conversation);
        const expected: string[] = [];
        let fired: string | null = null;
        const look = (at: string): void => {
          const row = play.conversation(conversation);
          const anchor = row[since as "waiting_since"];
          if (anchor === null || anchor === fired) return;
          const enough = (until: string) =>
            (calendar === undefined
              ? (Date.parse(until) - Date.parse(anchor)) / second
              : openSecondsBetween(office, anchor, until)) >= length;
          // what was due before it was published is not its own
          if (!enough(at) || (publishedAt > addMs(anchor, second) && enough(addMs(publishedAt, -second)))) return;
          const isTagged = row.tags.includes("a");
          const isVip = play.customer(customer).tags.includes("vip");
          if (when !== undefined && !{ tagged: isTagged, vip: isVip, neither: !isTagged && !isVip }[when]) return;
          fired = anchor;
          expected.push(at);
        };
        const lookUntil = (from: string, until: string): void => {
          // from a command to the next nothing changes but the clock
          for (let at = from; at < until; at = addMs(at, second)) look(at);
        };
        for (const { seconds, what } of [...list, { seconds: 4000, what: "nothing" }]) {
          const until = addMs(play.now(), seconds * second);
          lookUntil(play.now(), until);
          // in a batch commands come before wakes of the same instant
          ringUntil(play, addMs(until, -1));
          play.pass(1);
          if (what === "receive") play.receive();
          else if (what === "reply") play.issue("message.send", { conversation, text: "x" });
          else if (what === "tag" || what === "untag")
            play.issue(what === "tag" ? "conversation.add_tags" : "conversation.remove_tags", {
              conversation,
              tags: ["a"],
            });
          else if (what === "close") play.issue("conversation.close", { conversation });
          else if (what !== "nothing")
            play.issue(what === "vip" ? "customer.add_tags" : "customer.remove_tags", { customer, tags: ["vip"] });
        }
        expect(starts(play)).toEqual(expected);
      }),
      { numRuns: Number((process.env as { FC_RUNS?: string }).FC_RUNS ?? 60) },
    );
  }, 3_600_000);
});
