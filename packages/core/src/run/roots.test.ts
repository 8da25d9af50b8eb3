import { describe, expect, test } from "vitest";
import { Ledger, Missing } from "../domain/ledger.ts";
import { indexSettings } from "../domain/settings-index.ts";
import type { Accepted } from "../model/command.ts";
import type { Run } from "../model/run.ts";
import { eventOf } from "../testing/events.ts";
import { officeSettings, publish } from "../testing/mill.ts";
import { meterOf, unmetered } from "../testing/scope.ts";
import { ids, testId } from "../testing/settings.ts";
import { stage } from "../testing/stage.ts";
import { conversationRow, customerRow, memoryWorld } from "../testing/world.ts";
import { rootNamed, rootNames } from "./roots.ts";
import { eventScope, runScope, subjectScope } from "./scope.ts";

const settings = indexSettings(officeSettings);
const [ann, talk] = [testId(301), testId(401)];
const conversation = conversationRow({
  id: talk,
  customer: ann,
  mailbox: ids.mailboxes.support,
  channel: ids.channels.sms,
  address: "+14155550101",
  assignee: ids.users.ben,
  team: ids.teams.billing,
});
const customer = customerRow({ id: ann, first_name: "Ann", assignee: ids.users.cleo });
const sightOf = (rows: Parameters<typeof memoryWorld>[0] = {}) => ({
  ledger: new Ledger(memoryWorld({ customers: [customer], conversations: [conversation], ...rows })),
  settings,
  meter: unmetered,
});
const closed = eventOf("conversation.closed", {
  refs: { conversation: talk, customer: ann },
  changes: [
    { table: "conversations", id: talk, before: { status: "open" }, after: { status: "closed" } },
    { table: "customers", id: testId(302), before: null, after: { first_name: "Eve" } },
  ],
});

describe("what a scope names", () => {
  test("is loaded when it is read, and no sooner", () => {
    const scope = eventScope(closed, { ...sightOf(), ledger: new Ledger({ get: () => undefined }) });
    expect(scope.root("organization")).toMatchObject({ zone: settings.organization.zone });
    expect(() => scope.root("conversation")).toThrow(Missing);
    expect(() => scope.root("team")).toThrow(Missing);
    expect(scope.root("constructor")).toBeUndefined();
    expect(scope.root(0)).toBeUndefined();
    const once = eventScope(closed, sightOf());
    expect(once.root("calendar")).toBe(once.root("calendar"));
  });

  test("around an event", () => {
    const scope = eventScope(closed, sightOf());
    const read = (name: string) => scope.root(name) as Record<string, unknown> | null;
    expect(read("customer")).toMatchObject({ id: ann });
    expect(read("conversation")).toMatchObject({ id: talk });
    expect(read("assignee")).toMatchObject({ id: ids.users.ben });
    expect(read("team")).toMatchObject({ slug: "billing" });
    expect(read("channel")).toMatchObject({ slug: "sms" });
    expect(read("mailbox")).toMatchObject({ slug: "support" });
    expect(read("event")).toMatchObject({ type: "conversation.closed", data: null });
    expect(read("changes")).toEqual({
      customer: {},
      conversation: { status: { before: "open", after: "closed" } },
      message: {},
    });
    expect(read("calendar")).toMatchObject({ office: { name: "Office", open: true } });
    expect(scope.root("now")).toBe(closed.at);
    for (const name of ["message", "note", "user", "inputs", "steps", "run"])
      expect([name, read(name)]).toEqual([name, null]);
  });

  test("around a customer alone, whose assignee it is then", () => {
    const scope = subjectScope({ customer: ann }, closed.at, sightOf());
    expect(scope.root("assignee")).toMatchObject({ id: ids.users.cleo });
    for (const name of ["conversation", "team", "channel", "mailbox", "event", "changes"])
      expect([name, scope.root(name)]).toEqual([name, null]);
    const nobody = subjectScope({ user: ids.users.ben }, closed.at, sightOf());
    expect(nobody.root("assignee")).toBeNull();
    expect(nobody.root("user")).toMatchObject({ id: ids.users.ben });
  });

  test("around a step, as every text may write it", () => {
    const text =
      "{{ customer.phone }} {{ conversation.status }} {{ message.text }} {{ assignee.name }}|{{ team.slug }}|{{ channel.kind }}" +
      " {{ mailbox.name }} {{ organization.zone }} {{ calendar.office.open }} {{ now }} {{ event.type }} {{ inputs.x }}" +
      "{{ steps.first.changed }} {{ run.started_at }}";
    const steps = {
      first: { action: "conversation.add_tags", input: { tags: ["a"] }, next: "note" },
      note: { action: "message.note", input: { text } },
    };
    const play = stage({ workflows: [publish(1, { triggers: [{ event: "message.received" }], steps })] });
    play.receive("hello");
    const [run] = play.runsOf(1) as [Run];
    expect(run.steps.at(-1)?.input).toMatchObject({
      text: `+14155550101 open hello ||sms support ${settings.organization.zone} true ${play.now()} message.received true ${play.now()}`,
    });
    expect(
      runScope({ ...run, subject_kind: "user", subject: ids.users.ben }, run.started_at, sightOf()).root("user"),
    ).toMatchObject({ id: ids.users.ben });
  });

  test("around a note on a customer, where it was left or changed", () => {
    const start = {
      triggers: [{ event: "customer.note_added", when: { field: "note.text", op: "contains", value: "tea" } }],
    };
    const edited = {
      triggers: [{ event: "customer.note_edited", when: { field: "note.text", op: "changed_to", value: "coffee" } }],
    };
    const tag = (name: string) => ({ tag: { action: "customer.add_tags", input: { tags: [name] } } });
    const play = stage({
      workflows: [publish(1, { ...start, steps: tag("tea") }), publish(2, { ...edited, steps: tag("coffee") })],
    });
    const made = play.issue("customer.upsert", { email: "ann@example.com" }) as Accepted;
    const customer = made.result["customer"] as string;
    const added = play.issue("customer.add_note", { customer, text: "likes tea" }) as Accepted;
    play.issue("customer.add_note", { customer, text: "is tall" });
    expect([play.runsOf(1).length, play.runsOf(2).length]).toEqual([1, 0]);
    play.issue("customer.edit_note", { note: added.result["note"] as string, text: "coffee" });
    expect([play.runsOf(1).length, play.runsOf(2).length]).toEqual([1, 1]);
  });

  test("calendars cost what looking at each takes", () => {
    const meter = meterOf(10);
    expect(() => eventScope(closed, { ...sightOf(), meter }).root("calendar")).toThrow("spent");
  });
});

test("every root has a label, and somebody who may read it", () => {
  for (const name of rootNames) {
    const root = rootNamed(name);
    expect(root?.label).toMatch(/^[A-Z]/);
    expect(root?.readers.length).toBeGreaterThan(0);
  }
});
