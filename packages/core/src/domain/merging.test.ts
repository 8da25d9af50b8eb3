import { describe, expect, test } from "vitest";
import { type ConversationRow, conversationDefaults } from "../model/conversation.ts";
import { type CustomerRow, customerDefaults } from "../model/customer.ts";
import type { Run } from "../model/run.ts";
import type { Guards } from "../model/watch.ts";
import { actors, ids, testId } from "../testing/settings.ts";
import { scene } from "../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld } from "../testing/world.ts";
import { conversationMerge } from "./conversation/merge-table.ts";
import { customerMerge } from "./customer/merge-table.ts";
import { key } from "./keys.ts";
import { maxMovedRuns, merged, mergedGuards } from "./merging.ts";
import { mergingMarkdown } from "./merging-page.ts";

const [ann, bob] = [301, 302].map(testId) as [string, string];
const [mail, text] = [401, 402].map(testId) as [string, string];
const { channels, mailboxes, users, teams } = ids;
const [early, late, later] = [1, 2, 3].map((day) => `2026-11-0${day}T00:00:00.000Z`) as [string, string, string];

const onMail = (patch: Partial<ConversationRow> = {}) =>
  conversationRow({
    id: mail,
    customer: ann,
    mailbox: mailboxes.sales,
    channel: channels.email,
    address: "ann@example.com",
    ...patch,
  });
const onText = (patch: Partial<ConversationRow> = {}) =>
  conversationRow({
    id: text,
    customer: ann,
    mailbox: mailboxes.support,
    channel: channels.sms,
    address: "+14155550101",
    ...patch,
  });
const join = (target: ConversationRow, source: ConversationRow) =>
  merged(conversationMerge, { target, source, sendsKept: 3 });
const waitingRun = (id: string, patch: Partial<Run>): Run =>
  ({ id, status: "waiting", workflow: "w", customer: ann, conversation: null, ...patch }) as Run;

test("what becomes of every field is said", () => {
  expect(Object.keys(conversationMerge).sort()).toEqual(Object.keys(onMail()).sort());
  expect(Object.keys(customerMerge).sort()).toEqual(Object.keys(customerRow({ id: ann })).sort());
  for (const rule of [...Object.values(conversationMerge), ...Object.values(customerMerge)])
    expect(rule.says).toMatch(/\w/);
});

describe("a conversation that another is merged into", () => {
  test("is where the customer wrote last, channel and address together, and holds the channels of both", () => {
    const second = { [channels.whatsapp]: "whatsapp:+14155550101" };
    const fromText = {
      channel: channels.sms,
      address: "+14155550101",
      other_channels: { [channels.email]: "ann@example.com" },
    };
    expect(join(onMail({ last_inbound_at: early }), onText({ last_inbound_at: late }))).toMatchObject(fromText);
    expect(join(onMail(), onText({ last_inbound_at: late }))).toMatchObject(fromText);
    const fromMail = { channel: channels.email, address: "ann@example.com" };
    for (const [a, b] of [
      [later, late],
      [late, late],
      [null, null],
      [early, null],
    ] as const) {
      const row = join(onMail({ last_inbound_at: a }), onText({ last_inbound_at: b, other_channels: second }));
      expect(row).toMatchObject(fromMail);
      expect(row.other_channels).toEqual({ [channels.sms]: "+14155550101", ...second });
    }
    const twoNumbers = join(
      onText({
        last_inbound_at: early,
        address: "+14155550102",
        other_channels: { [channels.email]: "old@example.com" },
      }),
      onMail({ last_inbound_at: late, other_channels: { [channels.sms]: "+14155550103" } }),
    );
    expect(twoNumbers).toMatchObject({ ...fromMail, other_channels: { [channels.sms]: "+14155550103" } });
  });

  test("keeps what it has, and takes over what it lacks", () => {
    const source = {
      subject: "two",
      assignee: users.ben,
      team: teams.billing,
      topic: "billing",
      tags: ["VIP", "late"],
      properties: { text: "source", number: 2 },
    };
    expect(join(onMail(), onText(source))).toMatchObject({ ...source, mailbox: mailboxes.sales, id: mail });
    const target = { subject: "one", assignee: users.cleo, team: teams.support, topic: "refunds" };
    expect(join(onMail({ ...target, tags: ["vip"], properties: { text: "target" } }), onText(source))).toMatchObject({
      ...target,
      tags: ["vip", "late"],
      properties: { text: "target", number: 2 },
    });
  });

  test("is open where a customer waits in the source, as their message would have opened it; spam stays spam", () => {
    const waits = onText({ waiting_since: early });
    const opened = { status: "open", snoozed_until: null, closed_at: null, waiting_since: early };
    for (const target of [
      onMail({ status: "snoozed", snoozed_until: later }),
      onMail({ status: "pending" }),
      onMail({ status: "closed", closed_at: late }),
      onMail(),
    ])
      expect(join(target, waits)).toMatchObject(opened);
    const snoozed = { status: "snoozed", snoozed_until: later } as const;
    expect(join(onMail(snoozed), onText())).toMatchObject(snoozed);
    const spam = { status: "spam", closed_at: late } as const;
    expect(join(onMail(spam), waits)).toMatchObject({ ...spam, waiting_since: null });
  });

  test("has its clock, what has fired and the counters of both; the source has none", () => {
    const [one, two, three] = ["w1", "w2", "w3"];
    const guards = (day: string, runs: Record<string, number>): Guards => ({ day, runs, sends: [] });
    const target = onMail({
      waiting_since: late,
      wake_at: later,
      fired: { [one]: late, [three]: late },
      guards: guards("2026-11-20", { [one]: 2, [two]: 1 }),
    });
    const source = onText({
      waiting_since: early,
      wake_at: late,
      fired: { [one]: early, [two]: early, [three]: later },
      guards: guards("2026-11-20", { [one]: 3, [three]: 4 }),
    });
    const set = scene({
      world: memoryWorld({
        customers: [customerRow({ id: ann, open_conversations: 2 })],
        conversations: [target, source],
      }),
    });
    set.issue("conversation.merge", { conversation: text, into: mail });
    expect(set.ledger.get(key.conversation(mail))).toMatchObject({
      waiting_since: early,
      wake_at: late,
      // the wait that is left had fired for the first
      fired: { [one]: early, [two]: early, [three]: late },
      guards: guards("2026-11-20", { [one]: 5, [two]: 1, [three]: 4 }),
    });
    expect(set.ledger.get(key.conversation(text))).toMatchObject({ wake_at: null, fired: {}, guards: null });
  });

  test("counters of an older day count no more, and sends are the newest of both", () => {
    const old: Guards = { day: "2026-11-19", runs: { w: 9 }, sends: [early, later] };
    const today: Guards = { day: "2026-11-20", runs: { w: 1 }, sends: [late] };
    const more = { ...today, withheld: { w: 2, v: 1 } };
    expect(mergedGuards(more, today, 1)).toEqual({ ...more, runs: { w: 2 } });
    expect(mergedGuards(today, { ...more, sends: [] }, 1)).toEqual({ ...more, runs: { w: 2 } });
    expect(mergedGuards(more, more, 1)?.withheld).toEqual({ v: 2, w: 4 });
    expect(mergedGuards({ ...old, withheld: { w: 1 } }, today, 1)).not.toHaveProperty("withheld");
    const both = { day: "2026-11-20", runs: { w: 1 }, sends: [late, later] };
    expect(mergedGuards(old, today, 2)).toEqual(both);
    expect(mergedGuards(today, old, 2)).toEqual(both);
    expect([mergedGuards(null, old, 2), mergedGuards(old, null, 2), mergedGuards(null, null, 2)]).toEqual([
      old,
      old,
      null,
    ]);
  });
});

describe("what waits", () => {
  const [first, second] = [701, 702].map(testId) as [string, string];

  test("for a merged conversation waits for the target, with its timer", () => {
    const set = scene({
      world: memoryWorld({
        customers: [customerRow({ id: ann, open_conversations: 2 })],
        conversations: [onMail(), onText()],
        runs: [
          waitingRun(second, { subject: text, conversation: text }),
          waitingRun(first, { subject: mail, conversation: mail }),
        ],
      }),
    });
    set.issue("conversation.merge", { conversation: text, into: mail });
    expect([...set.ledger.list(key.waiting(mail), mail)].sort()).toEqual([first, second]);
    expect(set.ledger.list(key.waiting(text), text)).toEqual([]);
    expect(set.ledger.get(key.run(second))).toMatchObject({ subject: mail, conversation: mail, customer: ann });
  });

  test("for a merged customer waits for the target; a run of theirs about something else stays there", () => {
    const set = scene({
      world: memoryWorld({
        customers: [customerRow({ id: ann }), customerRow({ id: bob })],
        runs: [
          waitingRun(first, { subject: bob, customer: bob }),
          waitingRun(second, { subject: bob, customer: testId(399) }),
        ],
      }),
    });
    set.issue("customer.merge", { customer: bob, into: ann });
    expect(set.ledger.list(key.waiting(ann), ann)).toEqual([first, second]);
    expect(set.ledger.get(key.run(first))).toMatchObject({ subject: ann, customer: ann });
    expect(set.ledger.get(key.run(second))).toMatchObject({ subject: ann, customer: testId(399) });
  });

  test("is bounded: a merge that would move more is refused, and changes nothing", () => {
    const runs = Array.from({ length: maxMovedRuns + 1 }, (_, n) =>
      waitingRun(testId(10_000 + n), { subject: n % 2 === 0 ? text : bob }),
    );
    const all = (subject: string) => runs.map((run) => ({ ...run, subject }));
    const about = (subject: string) =>
      scene({
        world: memoryWorld({
          customers: [customerRow({ id: ann, open_conversations: 2 }), customerRow({ id: bob })],
          conversations: [onMail(), onText()],
          runs: all(subject),
        }),
      });
    expect(about(text).issue("conversation.merge", { conversation: text, into: mail })).toMatchObject({
      answer: { ok: false, kind: "limited", code: "too_many_waiting_runs", path: "/conversation" },
      events: [],
    });
    expect(about(bob).issue("customer.merge", { customer: bob, into: ann })).toMatchObject({
      answer: { ok: false, kind: "limited", code: "too_many_waiting_runs", path: "/customer" },
      events: [],
    });
  });
});

test("a customer that another is merged into has the clock, what has fired and the counters of both", () => {
  const target = customerRow({ id: ann, wake_at: late, guards: { day: "d", runs: { w: 1 }, sends: [early] } });
  const source: CustomerRow = customerRow({
    id: bob,
    wake_at: early,
    fired: { w: early },
    guards: { day: "d", runs: { w: 1 }, sends: [late] },
  });
  const set = scene({ world: memoryWorld({ customers: [target, source] }) });
  set.issue("customer.merge", { customer: bob, into: ann });
  expect(set.ledger.get(key.customer(ann))).toMatchObject({
    wake_at: early,
    fired: { w: early },
    guards: { day: "d", runs: { w: 2 }, sends: [early, late] },
  });
  expect(set.ledger.get(key.customer(bob))).toMatchObject({ wake_at: null, fired: {}, guards: null });
});

test("to a workflow a merged conversation stands for the one it was merged into", () => {
  const set = scene({
    world: memoryWorld({
      customers: [customerRow({ id: ann, open_conversations: 1 })],
      conversations: [onMail(), onText({ status: "closed", merged_into: mail })],
    }),
  });
  const tags = (actor: (typeof actors)[keyof typeof actors]) =>
    set.issue("conversation.add_tags", { conversation: text, tags: ["seen"] }, { actor }).answer;
  expect(tags(actors.admin)).toMatchObject({ ok: false, code: "conversation_merged" });
  expect(tags(actors.workflow)).toMatchObject({ ok: true, result: { conversation: mail, changed: true } });
});

test("no default of a row is missing from the tables", () => {
  for (const field of Object.keys(conversationDefaults)) expect(conversationMerge).toHaveProperty(field);
  for (const field of Object.keys(customerDefaults)) expect(customerMerge).toHaveProperty(field);
});

test("docs/merging.md is in step (update it with vitest -u)", async () => {
  await expect(mergingMarkdown()).toMatchFileSnapshot("../../../../docs/merging.md");
});
