import { afterAll, beforeAll, expect, test } from "vitest";
import { everywhere, type Reach } from "@threadmill/core";
import { type ApiAnswer, startTestApi, type TestApi } from "../../testing/test-api.ts";
import { readTimeline, timelineKinds } from "./timeline.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const post = (path: string, body: object = {}, token?: string): Promise<ApiAnswer> =>
  api.call("POST", path, { body, ...(token !== undefined && { token }) });
const write = async (from: string, text: string, channel = "sms") =>
  (await post(`/channels/${channel}/messages`, { from, text })).json.result as {
    customer: string;
    conversation: string;
    message: string;
  };
interface Entry {
  readonly kind: string;
  readonly at: string;
  readonly message?: { readonly text: string };
  readonly note?: { readonly text: string; readonly customer: string };
  readonly event?: { readonly type: string; readonly id: string };
  readonly run?: { readonly id: string };
}
const said = ({ kind, message, note, event, run }: Entry): string =>
  `${kind} ${message?.text ?? note?.text ?? event?.type ?? (run === undefined ? "" : "run")}`;

/** All entries, in pages of so many; no entry may come twice. */
async function timeline(customer: string, limit: number, more = "", token?: string): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const path = `/customers/${customer}/timeline?limit=${limit}${more}${after}`;
    const { status, json } = await api.call("GET", path, token === undefined ? {} : { token });
    expect(status).toBe(200);
    expect(json.items.length).toBeLessThanOrEqual(limit);
    all.push(...json.items);
    cursor = json.next_cursor;
  }
  return all;
}

test("everything of a customer and of whom was merged, newest first, however it is paged", async () => {
  const publish = {
    name: "Tags",
    kind: "automatic",
    triggers: [{ event: "message.received" }],
    start: "tag",
    steps: { tag: { action: "conversation.add_tags", input: { tags: ["seen"] } } },
  };
  expect((await post("/workflows?publish=true", publish)).status).toBe(201);
  const { customer, conversation } = await write("+14155550101", "first");
  await post(`/customers/${customer}/notes`, { text: "likes tea" });
  const { note: gone } = (await post(`/customers/${customer}/notes`, { text: "hates tea" })).json.result;
  await post(`/notes/${gone}/remove`);
  await post(`/conversations/${conversation}/messages`, { text: "answer" });
  await post(`/conversations/${conversation}/notes`, { text: "inside" });
  const other = await write("+14155550102", "second person");
  await post(`/customers/${other.customer}/notes`, { text: "is tall" });
  await post(`/customers/${other.customer}/merge`, { into: customer });
  await write("+14155550102", "after the merge");

  const all = await timeline(customer, 100);
  const at = all.map((entry) => entry.at);
  expect(at).toEqual(at.toSorted().toReversed());
  const told = all.map(said);
  const texts = told.filter((text) => /^(?:message|note) /.test(text));
  expect(texts).toEqual([
    "message after the merge",
    "note is tall",
    "message second person",
    "message inside",
    "message answer",
    "note likes tea",
    "message first",
  ]);
  expect(told.filter((text) => text === "run run")).toHaveLength(3);
  expect(told).toEqual(
    expect.arrayContaining([
      "event customer.created",
      "event conversation.opened",
      "event conversation.tags_added",
      "event customer.note_removed",
      "event customer.merged",
    ]),
  );
  // what is an entry itself is told once
  expect(told).not.toEqual(expect.arrayContaining(["event message.received"]));
  expect(told).not.toEqual(expect.arrayContaining(["event customer.note_added"]));
  for (const limit of [1, 3, 7]) expect((await timeline(customer, limit)).map(said)).toEqual(told);
  // the one that was merged tells the same
  expect((await timeline(other.customer, 50)).map(said)).toEqual(told);
  expect((await timeline(customer, 2, "&kind=note")).map(said)).toEqual(["note is tall", "note likes tea"]);
  const { items } = (await api.call("GET", `/customers/${customer}/notes`)).json;
  expect(items.map((note: { text: string }) => note.text)).toEqual(["is tall", "likes tea"]);
});

test("of conversations, events and runs only those within reach are told", async () => {
  const mailbox = (await post("/mailboxes", { name: "Elsewhere" })).json.id;
  await post("/channels", { name: "Other", slug: "other", kind: "sms", mailbox, address: "+14155550198" });
  const here = await write("+14155550110", "seen");
  const there = await write("+14155550110", "hidden", "other");
  expect(there.customer).toBe(here.customer);
  await post(`/customers/${here.customer}/notes`, { text: "of the customer" });
  const { pool } = api.server.database;
  const [row] = (
    await pool.query<{ lane: number; organization: string; mailbox: string }>(
      "select lane, organization, mailbox from conversations where id = $1",
      [here.conversation],
    )
  ).rows;
  const { mailbox: own, ...place } = row as { lane: number; organization: string; mailbox: string };
  const reach = { mailboxes: [own], of: "all", user: null, teams: [] } as const;
  const read = (within: Reach) =>
    readTimeline(pool, place, {
      customers: [here.customer],
      reach: { message: within, event: within, run: within },
      from: { event: null, message: null, note: null, run: null },
      most: 100,
      kinds: new Set(timelineKinds),
    });
  const whole = JSON.stringify((await read(everywhere)).entries);
  const part = JSON.stringify((await read(reach)).entries);
  for (const told of ["seen", "of the customer", here.conversation]) expect(part).toContain(told);
  for (const kept of ["hidden", there.conversation, there.message]) {
    expect(whole).toContain(kept);
    expect(part).not.toContain(kept);
  }
});

test("nobody's timeline is not found", async () => {
  const nobody = "01890000-0000-7000-8000-000000000000";
  expect((await api.call("GET", `/customers/${nobody}/timeline`)).json).toMatchObject({ code: "customer_not_found" });
  expect((await api.call("GET", `/customers/${nobody}/notes`)).status).toBe(404);
});
