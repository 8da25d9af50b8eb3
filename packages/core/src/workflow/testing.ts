import { indexSettings } from "../domain/settings-index.ts";
import { defaultLimits, type Settings } from "../model/settings.ts";

/** For tests: ids that are easy to tell apart. */
export const idOf = (n: number): string => `0190a000-0000-7000-8000-${String(n).padStart(12, "0")}`;

const calendar = { zone: "Europe/Berlin", hours: { mon: [["09:00", "17:00"]] as [string, string][] }, holidays: [] };
const archived = "2026-01-01T00:00:00.000Z";

/** For tests: an organization with one of each, and archived ones. */
export const settingsRows: Settings = {
  version: 1,
  organization: {
    id: idOf(1),
    name: "Acme",
    zone: "Europe/Berlin",
    sandbox: false,
    automation: "on",
    limits: defaultLimits,
    workflow_user: idOf(10),
  },
  users: [
    { id: idOf(10), kind: "robot", role: "robot", name: "Workflow", email: null, archived_at: null },
    { id: idOf(11), kind: "person", role: "admin", name: "Ann", email: "ann@acme.test", archived_at: null },
  ],
  teams: [
    { id: idOf(20), slug: "billing", name: "Billing", members: [idOf(11)], archived_at: null },
    { id: idOf(21), slug: "old", name: "Old", members: [], archived_at: archived },
  ],
  mailboxes: [{ id: idOf(30), slug: "support", name: "Support", reopen: "always", reopen_days: 0, archived_at: null }],
  channels: [
    { id: idOf(40), slug: "sms", name: "SMS", kind: "sms", mailbox: idOf(30), address: null, provider: "test", on_unknown: "hold", archived_at: null },
  ],
  calendars: [{ id: idOf(50), slug: "office", name: "Office", calendar, archived_at: null }],
  properties: [
    { id: idOf(60), noun: "customer", name: "plan", type: "choice", options: ["free", "pro"], archived_at: null },
    { id: idOf(61), noun: "customer", name: "age", type: "number", options: [], archived_at: null },
  ],
};
export const settings = indexSettings(settingsRows);

/** The example of DESIGN section 9, as JSON. */
export const refundRequests = {
  name: "Refund requests",
  kind: "automatic",
  mailboxes: ["support"],
  triggers: [{ event: "message.received", when: { field: "message.text", op: "matches", value: "refund|money back" } }],
  start: "tag",
  steps: {
    tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "who" },
    who: { branch: [{ when: { field: "customer.properties.plan", op: "is", value: "pro" }, next: "page" }], next: "reply" },
    page: { action: "conversation.assign", input: { team: "billing", by: "least_busy" }, next: "reply" },
    reply: { action: "message.send", input: { text: "Hi {{ customer.first_name | default: 'there' }}, ..." }, next: "hold" },
    hold: { wait: { for: "2h", in: "business_hours", unless: "message.received" }, next: "close" },
    close: { action: "conversation.close" },
  },
} as const;
