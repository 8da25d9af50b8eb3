import { freshId } from "../../lanes/fresh-id.ts";
import { known, open } from "./table.ts";
import type { TestApi } from "../test-api.ts";

/** One of each of what routes are about, by the noun that an address or body names it with. */
export interface Things {
  readonly mailbox: string;
  readonly mailboxSlug: string;
  readonly channel: string;
  readonly customer: string;
  readonly conversation: string;
  readonly message: string;
  readonly workflow: string;
  readonly run: string;
  readonly note: string;
  readonly job: string;
  readonly folder: string;
  readonly reply: string;
  readonly segment: string;
  readonly effect: string;
  readonly parked: string;
  readonly user: string;
  readonly role: string;
  readonly team: string;
  readonly calendar: string;
  readonly property: string;
  readonly token: string;
  /** another conversation of the same customer, and another customer, to merge into */
  readonly otherConversation: string;
  readonly otherCustomer: string;
}

let phones = 1000;

/** Makes one of each in an organization: those that live in a mailbox in a new one that keeps to `members`. */
export async function makeThings(api: TestApi, token: string, mailboxFields: object): Promise<Things> {
  const make = async (path: string, body: object): Promise<Record<string, string>> => {
    const answer = await api.call("POST", path, { token, body });
    if (answer.status >= 300) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}`);
    return (answer.json.result ?? answer.json) as Record<string, string>;
  };
  const n = (phones += 10);
  const mailbox = await make("/mailboxes", { name: `Mailbox ${n}`, ...mailboxFields });
  const [channel, spareChannel] = [
    await make("/channels", { name: `Line ${n}`, kind: "sms", mailbox: mailbox["id"] }),
    await make("/channels", { name: `Spare ${n}`, kind: "sms", mailbox: mailbox["id"] }),
  ];
  const from = `+1415555${n}`;
  const receive = (id: string | undefined, phone: string) =>
    make(`/channels/${id}/messages`, { from: phone, text: "Hi" });
  const first = await receive(channel["id"], from);
  const second = await receive(spareChannel["id"], from);
  const other = await receive(channel["id"], `+1415555${n + 1}`);
  const workflow = await make("/workflows?publish=true", {
    name: `Hold ${n}`,
    kind: "manual",
    mailboxes: [mailbox["id"]],
    start: "hold",
    steps: { hold: { wait: { for: "2d" }, next: "end" }, end: { stop: true } },
  });
  const run = await make(`/workflows/${workflow["id"]}/runs`, { conversation: first["conversation"] });
  const selection = { ids: [first["conversation"]] };
  const parameters = { selection, command: "conversation.open", input: {} };
  const job = await make("/jobs", { kind: "conversations.change", parameters });
  const calendar = await make("/calendars", {
    name: `Calendar ${n}`,
    calendar: { zone: "UTC", hours: {}, holidays: [] },
  });
  const spare = await make("/users", { name: `Spare ${n}` });
  const things = {
    mailbox: mailbox["id"],
    mailboxSlug: mailbox["slug"],
    channel: channel["id"],
    customer: first["customer"],
    conversation: first["conversation"],
    message: first["message"],
    otherConversation: second["conversation"],
    otherCustomer: other["customer"],
    workflow: workflow["id"],
    run: run["run"],
    note: (await make(`/customers/${first["customer"]}/notes`, { text: "A note" }))["note"],
    job: job["id"],
    folder: (await make("/folders", { name: `Folder ${n}`, filter: open, shared: true }))["id"],
    reply: (await make("/saved-replies", { name: `Reply ${n}`, text: "Hello", shared: true }))["id"],
    segment: (await make("/segments", { name: `Segment ${n}`, filter: known }))["id"],
    user: spare["id"],
    role: (await make("/roles", { name: `Role ${n}`, rights: { "customers.read": "own" } }))["id"],
    team: (await make("/teams", { name: `Team ${n}` }))["id"],
    calendar: calendar["id"],
    property: (await make("/properties", { noun: "customer", name: `property_${n}`, type: "text" }))["id"],
    token: (await make("/tokens", { name: `Token ${n}` }))["id"],
  } as Record<keyof Things, string>;
  return { ...things, ...(await makeBroken(api, things)) };
}

/** What only trouble leaves behind: an effect that was given up, and an item that waits for a person. */
async function makeBroken(api: TestApi, things: Pick<Things, "mailbox" | "conversation" | "customer">) {
  const [effect, parked] = [freshId(), freshId()];
  const { pool } = api.server.database;
  const refs = { conversation: things.conversation, customer: things.customer };
  await pool.query(
    `insert into effects (lane, organization, id, kind, order_key, key, payload, refs, status, due_at, attempt, ordinal, created_at)
select lane, organization, $2::uuid, 'message.deliver', $3::text, $2::text, '{}', $4, 'dead', now(), 1, 1, now() from mailboxes where id = $1`,
    [things.mailbox, effect, things.conversation, JSON.stringify(refs)],
  );
  await pool.query(
    `insert into parked (lane, organization, id, item, error, at)
select lane, organization, $2::uuid, '{"kind":"timer"}', '{}', now() from mailboxes where id = $1`,
    [things.mailbox, parked],
  );
  return { effect, parked };
}

/** Things of which what belongs to no mailbox is another's: so that two differ in nothing else. */
export const inMailbox = (its: Things, all: Things): Things => {
  const { user, role, team, calendar, property, token, folder, reply, segment } = all;
  return { ...its, user, role, team, calendar, property, token, folder, reply, segment };
};

/** Ids, in the right form, of what nowhere is. */
export const nothing = (things: Things): Things =>
  Object.fromEntries(Object.keys(things).map((name) => [name, freshId()])) as unknown as Things;
