import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiAnswer, startTestApi, type TestApi } from "../../testing/test-api.ts";
import { rebuild } from "../../followers/cursor.ts";
import { MIGRATIONS_FOLDER } from "../../testing/test-database.ts";
import { untilFollowed } from "../../testing/until-followed.ts";
import { listings } from "../listings/listings.ts";

let api: TestApi;
/** the owner's id, and an agent's token */
let owner: string;
let agent: { readonly id: string; readonly token: string };
let team: string;
/** conversations by the word that their first message says */
const talks: Record<string, string> = {};

type Item = Record<string, unknown> & { readonly id: string };
const post = async (path: string, body: object = {}, token?: string): Promise<ApiAnswer> => {
  const answer = await api.call("POST", path, { body, ...(token !== undefined && { token }) });
  expect([path, answer.status, answer.text]).toEqual([path, expect.toBeOneOf([200, 201]), answer.text]);
  return answer;
};
const query = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await api.server.database.pool.query<T>(text, values)).rows;

/** Until what follows the log has come to its end. */
const settled = () => untilFollowed(api.server.database.pool, ["listings", "mentions"]);

const write = async (from: string, text: string): Promise<string> =>
  (await post("/channels/sms/messages", { from, text })).json.result.conversation;

beforeAll(async () => {
  api = await startTestApi();
  owner = (await api.call("GET", "/me")).json.user.id;
  const made = (await post("/users", { name: "Ben", kind: "person", role: "agent", email: "ben@acme.test" })).json;
  agent = { id: made.id, token: (await post("/tokens", { name: "Ben's", user: made.id })).json.token };
  team = (await post("/teams", { name: "Billing", members: [owner] })).json.id;
  for (const [n, word] of ["first", "mine", "teams", "asleep", "junk", "done", "last"].entries())
    talks[word] = await write(`+1415555020${n}`, word);
  await post(`/conversations/${talks["mine"]}/assign`, { user: owner });
  await post(`/conversations/${talks["teams"]}/assign`, { team });
  await post(`/conversations/${talks["asleep"]}/snooze`, { until: "2030-01-01T00:00:00.000Z" });
  await post(`/conversations/${talks["junk"]}/mark_spam`);
  await post(`/conversations/${talks["done"]}/close`);
  await settled();
});
afterAll(() => api.close());

const page = (folder: string, params: Record<string, string> = {}, token?: string) =>
  api.call("GET", `/folders/${folder}/conversations?${new URLSearchParams(params).toString()}`, token ? { token } : {});
/** What a folder holds, by the words of the conversations. */
async function wordsIn(folder: string, params: Record<string, string> = {}, token?: string): Promise<string[]> {
  const answer = await page(folder, params, token);
  expect([folder, answer.status, answer.text]).toEqual([folder, 200, answer.text]);
  return answer.json.items.map((item: Item) => Object.keys(talks).find((word) => talks[word] === item.id) ?? item.id);
}
const countsOf = async (token?: string): Promise<Record<string, number>> => {
  const { json } = await api.call("GET", "/folders/counts", token ? { token } : {});
  return Object.fromEntries(json.counts.map((one: { folder: string; count: number }) => [one.folder, one.count]));
};

test("every organization has folders, and each holds and counts what it says", async () => {
  const held: Record<string, string[]> = {
    unassigned: ["last", "teams", "first"],
    mine: ["mine"],
    team: ["teams"],
    mentions: [],
    waiting: ["first", "mine", "teams", "last"],
    snoozed: ["asleep"],
    spam: ["junk"],
    closed: ["done"],
    all: ["last", "done", "junk", "asleep", "teams", "mine", "first"],
  };
  const { folders } = (await api.call("GET", "/folders")).json;
  expect(folders.map((folder: Item) => folder.id)).toEqual(Object.keys(held));
  for (const [folder, words] of Object.entries(held)) expect([folder, await wordsIn(folder)]).toEqual([folder, words]);
  expect(await countsOf()).toEqual(
    Object.fromEntries(Object.entries(held).map(([folder, words]) => [folder, words.length])),
  );
  expect(folders.find((folder: Item) => folder.id === "mine")).toMatchObject({ index: "listings_by_assignee" });
  expect(folders.find((folder: Item) => folder.id === "all")).toMatchObject({ index: null, problems: [] });
  // whoever is in no team has none of a team's
  expect(await wordsIn("team", {}, agent.token)).toEqual([]);
});

test("a list has four orders and comes in pages that neither lose nor repeat a row while rows move", async () => {
  const all = Object.keys(talks);
  expect(await wordsIn("all", { sort: "oldest" })).toEqual(all);
  expect(await wordsIn("all", { sort: "newest" })).toEqual(all.toReversed());
  expect((await wordsIn("all", { sort: "waiting" })).slice(0, 4)).toEqual(["first", "mine", "teams", "asleep"]);
  for (const sort of ["oldest", "newest", "waiting", "last_message"]) {
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const answer = await page("all", { sort, limit: "2", ...(cursor !== "" && { cursor }) });
      expect(answer).toMatchObject({ status: 200, json: { as_of: expect.any(String) } });
      seen.push(...answer.json.items.map((item: Item) => item.id));
      cursor = answer.json.next_cursor;
    }
    expect([sort, seen.toSorted()]).toEqual([sort, Object.values(talks).toSorted()]);
  }
  const first = await page("unassigned", { limit: "1" });
  expect(first.json.items[0].id).toBe(talks["last"]);
  // it moves up, away from the page that follows; what was seen does not come again
  await write("+14155550206", "again");
  await settled();
  const next = await page("unassigned", { limit: "5", cursor: first.json.next_cursor });
  expect(next.json.items.map((item: Item) => item.id)).toEqual([talks["teams"], talks["first"]]);
  expect(await page("mine", { cursor: first.json.next_cursor })).toMatchObject({
    status: 400,
    json: { code: "cursor_invalid" },
  });
});

test("what does not hold any more is shown at once no more, whatever its listing says", async () => {
  await post(`/conversations/${talks["first"]}/assign`, { user: owner });
  expect(await wordsIn("unassigned")).not.toContain("first");
  await settled();
  expect(await wordsIn("mine")).toEqual(["mine", "first"]);
  expect(await countsOf()).toMatchObject({ unassigned: 2, mine: 2 });
  await post(`/conversations/${talks["first"]}/unassign`);
  await settled();
  expect(await countsOf()).toMatchObject({ unassigned: 3, mine: 1 });
});

test("a folder is a filter: of one's own or of everybody, with its order and what is wrong with it", async () => {
  await post(`/conversations/${talks["done"]}/add_tags`, { tags: ["Straße", "Refund"] });
  await post(`/conversations/${talks["mine"]}/add_tags`, { tags: ["refund"] });
  await settled();
  const tagged = { field: "conversation.tags", op: "is", value: "REFUND" };
  const own = (await post("/folders", { name: "Refunds", filter: tagged, sort: "oldest" })).json;
  expect(own).toMatchObject({ built_in: false, shared: false, index: "conversation_tags_pkey", problems: [] });
  expect(await wordsIn(own.id)).toEqual(["mine", "done"]);
  const open = { field: "conversation.status", op: "is", value: "open" };
  expect(await wordsIn(own.id, { filter: JSON.stringify(open) })).toEqual(["mine"]);
  expect(await countsOf()).toMatchObject({ [own.id]: 2 });
  // nobody else's
  expect(await page(own.id, {}, agent.token)).toMatchObject({ status: 404, json: { code: "folder_not_found" } });
  expect(await api.call("PATCH", `/folders/${own.id}`, { token: agent.token, body: { name: "x" } })).toMatchObject({
    status: 404,
  });
  const asAgent = await api.call("POST", "/folders", {
    token: agent.token,
    body: { name: "All", filter: open, shared: true },
  });
  expect(asAgent).toMatchObject({ status: 403 });
  const shared = (await post("/folders", { name: "Open", filter: open, shared: true, icon: "flame", position: 3 }))
    .json;
  expect(await countsOf(agent.token)).toMatchObject({ [shared.id]: 4 });
  expect(await api.call("DELETE", `/folders/${shared.id}`, { token: agent.token })).toMatchObject({ status: 403 });
  const changed = await api.call("PATCH", `/folders/${shared.id}`, {
    body: { filter: { all: [open, { field: "conversation.assignee", op: "is", value: { ref: "user.id" } }] } },
  });
  expect(changed).toMatchObject({ status: 200, json: { name: "Open", icon: "flame", position: 3 } });
  // the same folder, seen by each as theirs
  expect(await wordsIn(shared.id)).toEqual(["mine"]);
  expect(await wordsIn(shared.id, {}, agent.token)).toEqual([]);
  const bad = { body: { name: "Bad", filter: { field: "conversation.colour", op: "is", value: 5 } } };
  expect(await api.call("POST", "/folders", bad)).toMatchObject({
    status: 422,
    json: { code: "filter_invalid", problems: [{ code: "field_unknown" }] },
  });
  expect(await page("all", { filter: "{" })).toMatchObject({ status: 422, json: { code: "filter_invalid" } });
  for (const id of [own.id, shared.id]) expect((await api.call("DELETE", `/folders/${id}`)).status).toBe(200);
  expect(await page(own.id)).toMatchObject({ status: 404 });
});

test("a filter is checked before it is used: what it finds, by what, and for whom it cannot be decided", async () => {
  await post(`/conversations/${talks["mine"]}/properties`, { name: "amount", value: "much" });
  await post(`/conversations/${talks["done"]}/properties`, { name: "amount", value: "250" });
  const filter = { field: "conversation.properties.amount", op: "gt", value: 100 };
  expect((await post("/filters/check", { filter })).json).toEqual({
    index: null,
    found_by: expect.stringContaining("No index"),
    count: 1,
    more: false,
    undecided: 1,
  });
  expect(await wordsIn("all", { filter: JSON.stringify(filter) })).toEqual(["done"]);
});

test("reading, following and being named are each user's own", async () => {
  const { sms: talk } = { sms: talks["last"] as string };
  const shownTo = async (token?: string) =>
    (await page("all", {}, token)).json.items.find((item: Item) => item.id === talk);
  expect(await shownTo()).toMatchObject({ unread: true, followed: false });
  expect((await post(`/conversations/${talk}/read`)).json).toMatchObject({ read_at: expect.any(String) });
  await post(`/conversations/${talk}/follow`);
  expect(await shownTo()).toMatchObject({ unread: false, followed: true });
  expect(await shownTo(agent.token)).toMatchObject({ unread: true, followed: false });
  expect(await wordsIn("all", { only: "followed" })).toEqual(["last"]);
  expect(await wordsIn("all", { only: "unread" })).not.toContain("last");
  await post(`/conversations/${talk}/unread`);
  expect(await wordsIn("all", { only: "unread" })).toContain("last");
  await post(`/conversations/${talk}/read`);
  await write("+14155550206", "and again");
  await settled();
  expect(await shownTo()).toMatchObject({ unread: true });
  expect((await post(`/conversations/${talk}/unfollow`)).json).toMatchObject({
    followed_since: null,
    mentioned: false,
  });

  await post(`/conversations/${talk}/notes`, { text: "Ben, look", mentions: [agent.id] });
  await settled();
  expect(await wordsIn("mentions", {}, agent.token)).toEqual(["last"]);
  expect(await wordsIn("mentions")).toEqual([]);
  expect(await countsOf(agent.token)).toMatchObject({ mentions: 1 });
  const own = await api.call("GET", `/conversations/${talk}/own`, { token: agent.token });
  expect(own.json).toMatchObject({ mentioned: true, read_at: null });
});

test("a draft is kept for a user and a conversation, and no device overwrites what another wrote", async () => {
  const url = `/conversations/${talks["mine"]}/drafts/reply`;
  const put = (version: number, text: string, token?: string) =>
    api.call("PUT", url, {
      body: { version, text, extras: { channel: "sms" } },
      ...(token !== undefined && { token }),
    });
  expect((await api.call("GET", url)).json).toMatchObject({ version: 0, text: "" });
  const one = (await put(0, "Dear")).json;
  expect(one).toMatchObject({ text: "Dear", extras: { channel: "sms" } });
  const two = (await put(one.version, "Dear Ann")).json;
  expect(two.version).toBeGreaterThan(one.version);
  for (const seen of [0, one.version])
    expect(await put(seen, "Hello")).toMatchObject({ status: 409, json: { code: "draft_changed" } });
  expect((await api.call("GET", url)).json).toMatchObject({ version: two.version, text: "Dear Ann" });
  expect((await api.call("GET", url, { token: agent.token })).json).toMatchObject({ version: 0 });
  const wrong = await api.call("POST", `${url}/discard`, { body: { version: one.version } });
  expect(wrong).toMatchObject({ status: 409 });
  expect((await post(`${url}/discard`, { version: two.version })).json).toMatchObject({ version: 0, text: "" });
  // what was thrown away is not brought back by a device that knows nothing of it, and no version comes twice
  expect(await put(two.version, "Dear Ann, again")).toMatchObject({ status: 409 });
  expect((await put(0, "Hi")).json.version).toBeGreaterThan(two.version);
});

test("listings, counts and tags are the same when they are made anew, and after a merge", async () => {
  const { from, into } = { from: talks["first"], into: talks["last"] };
  const all = async () => ({
    listings: await query("select * from listings order by id"),
    counts: await query(
      "select * from listing_counts where count <> 0 order by mailbox, status, assignee, team, waiting",
    ),
    tags: await query("select * from conversation_tags order by tag, conversation"),
  });
  const customers = await query<{ customer: string }>(
    "select customer from conversations where id = any($1) order by id",
    [[from, into]],
  );
  await post(`/customers/${customers[0]?.customer}/merge`, { into: customers[1]?.customer });
  await post(`/conversations/${from}/merge`, { into });
  await settled();
  expect(await wordsIn("all")).not.toContain("first");
  const before = await all();
  expect(before.listings).toHaveLength(Object.keys(talks).length - 1);
  expect(before.tags.length).toBeGreaterThan(2);
  const { pool } = api.server.database;
  await rebuild(pool, listings);
  await settled();
  expect(await all()).toEqual(before);
  // as the migration fills them from a database of before, of whose conversations the log may say nothing any more
  for (const table of ["listings", "listing_counts", "conversation_tags"]) await query(`truncate ${table}`);
  const slice = await readFile(join(MIGRATIONS_FOLDER, "20261122030200_fill_listings.sql"), "utf8");
  for (let cursor: string | null | undefined; cursor !== null;)
    cursor = (await pool.query<{ cursor: string }>(slice, [cursor ?? null])).rows[0]?.cursor ?? null;
  expect(await all()).toEqual(before);
});
