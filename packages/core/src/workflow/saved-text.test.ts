import { expect, test } from "vitest";
import type { Conversation } from "../model/conversation.ts";
import { ids, sampleIndex, testId } from "../testing/settings.ts";
import { conversationRow, customerRow } from "../testing/world.ts";
import { readSavedText, type SavedTextSubject } from "./saved-text.ts";

const settings = sampleIndex();
const customer = customerRow({ id: testId(500), first_name: "Ann" });
const talk = (patch: Partial<Conversation>) =>
  conversationRow({
    id: testId(501),
    customer: customer.id,
    mailbox: ids.mailboxes.support,
    channel: ids.channels.sms,
    address: "+14155550101",
    ...patch,
  });
const conversation = talk({ team: ids.teams.billing });
const subject: SavedTextSubject = { conversation, customer, user: ids.users.ben, at: "2026-11-20T17:00:00.000Z" };

function render(source: string, patch: Partial<SavedTextSubject> = {}) {
  const found = readSavedText(source, settings, "/text");
  return found.ok ? found.text.render({ ...subject, ...patch }) : found.problems.map(({ code, path }) => [code, path]);
}

test("a saved text names the customer, the conversation, the settings and who writes", () => {
  const source =
    "Hi {{ customer.first_name | default: 'there' }}, {{ user.name }} of {{ team.name }} at {{ organization.name }} on {{ now | date: '%Y' }}";
  expect(render(source)).toEqual({ ok: true, text: "Hi Ann, Ben of billing at Acme on 2026" });
  expect(render("{{ customer.first_name | default: 'there' }}{{ user.name }}", { customer: null, user: null })).toEqual(
    {
      ok: true,
      text: "there",
    },
  );
});

test.each([
  ["{{ customer.", [["template_invalid", "/text"]]],
  ["{{ steps.a.b }}", [["reference_out_of_scope", "/text"]]],
  ["{{ customer.colour }}", [["field_unknown", "/text"]]],
])("what is wrong with %s is said", (source, problems) => {
  expect(render(source)).toEqual(problems);
});

test("a text that grows too long is no fault of the program", () => {
  const long = talk({ subject: "x".repeat(60_000) });
  expect(render("{{ conversation.subject }}{{ conversation.subject }}", { conversation: long })).toMatchObject({
    ok: false,
    code: "template_runaway",
  });
});

test("what throws otherwise is thrown on", () => {
  const broken = new Proxy(customer, {
    getOwnPropertyDescriptor: () => {
      throw new Error("gone");
    },
  });
  expect(() => render("{{ customer.first_name }}", { customer: broken })).toThrow("gone");
});
