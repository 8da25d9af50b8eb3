import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createOrganization } from "../features/organization/create.ts";
import { startTestApi, type TestApi } from "../testing/test-api.ts";
import { untilFollowed } from "../testing/until-followed.ts";

let api: TestApi;
let strangersToken: string;
/** What stands for the parameters of lists whose address has some. */
const params: Record<string, string> = {};

beforeAll(async () => {
  api = await startTestApi();
  strangersToken = (await createOrganization(api.server.database.pool, { name: "Strangers" })).token;
  await fill();
}, 90_000);
afterAll(() => api.close());

const many = 9;
const each = <T>(make: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: many }, (_, n) => make(n)));

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly type?: string; readonly enum?: readonly string[]; readonly anyOf?: { const?: string }[] };
}
interface List {
  readonly url: string;
  /** queries that its closed filters allow, the empty one first */
  readonly queries: readonly string[];
}

/** Every list that the server has, found from the routes themselves: a new one is here without a word. */
function lists(): List[] {
  const { paths } = api.server.app.swagger() as unknown as {
    readonly paths: Record<string, { readonly get?: { responses: Record<string, unknown>; parameters?: Parameter[] } }>;
  };
  return Object.entries(paths).flatMap(([path, { get }]) => {
    if (get === undefined || !JSON.stringify(get.responses).includes("next_cursor")) return [];
    const url = path.replace(/^\/api\/v2/, "").replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? `no-${name}`);
    return [{ url, queries: ["", ...(get.parameters ?? []).flatMap(queriesOf)] }];
  });
}

function queriesOf({ name, in: where, schema }: Parameter): string[] {
  if (where !== "query" || name === "limit" || name === "cursor") return [];
  const values = schema.type === "boolean" ? ["true", "false"] : (schema.enum ?? schema.anyOf?.map((one) => one.const));
  return (values ?? []).filter((value) => value !== undefined).map((value) => `${name}=${value}`);
}

const get = (url: string, query: Record<string, string | number>, more = "", token?: string) =>
  api.call(
    "GET",
    `${url}?${new URLSearchParams(query as Record<string, string>).toString()}&${more}`,
    token ? { token } : {},
  );

async function walk({ url, query, limit }: { url: string; query: string; limit: number }): Promise<object[]> {
  const seen: object[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await get(url, { limit, ...(cursor !== undefined && { cursor }) }, query);
    expect(page).toMatchObject({ status: 200 });
    expect(page.json.items.length).toBeLessThanOrEqual(limit);
    seen.push(...page.json.items);
    expect(seen.length).toBeLessThan(1000);
    cursor = page.json.next_cursor;
  }
  return seen;
}

/** What a list must hold, whatever the list says; by the address without what stands for its parameters. */
const plainReads: Record<string, string> = {
  "/deliveries":
    "select json_build_object('key', key) as item from recorded_deliveries order by recorded_at desc, key desc",
  "/jobs": "select json_build_object('id', id) as item from directory_jobs order by id desc",
  "/effects": "select json_build_object('id', id) as item from effects order by id desc",
  "/parked": "select json_build_object('id', id) as item from parked where resolved_at is null order by id desc",
  "/customers": "select json_build_object('id', id) as item from customers order by id desc",
  "/customers/duplicates":
    "select json_build_object('customers', json_build_array(json_build_object('id', a), json_build_object('id', b))) as item from duplicates where dismissed_at is null order by found_at desc, a desc, b desc",
  "/conversations": "select json_build_object('id', id) as item from conversations order by id desc",
  "/runs": "select json_build_object('id', id) as item from runs_history order by id desc",
  "/events":
    "select json_build_object('seq', seq + n - 1) as item from log, generate_series(1, count) n where organization = $1 order by seq, n",
  "/teams": "select json_build_object('id', id) as item from teams where archived_at is null order by id",
  "/workflows":
    "select json_build_object('id', id) as item from workflows where archived_at is null order by position, id",
  "/tokens":
    "select json_build_object('id', id) as item from directory_tokens where organization = $1 and revoked_at is null order by id desc",
};

test("every list comes whole and in order, whatever the size of its pages", async () => {
  const all = lists();
  expect(all.length).toBeGreaterThan(15);
  const { organization } = (await api.call("GET", "/me")).json;
  for (const { url, queries } of all) {
    for (const query of queries) {
      const items = await walk({ url, query, limit: 100 });
      // a list of which the rows fit one page shows nothing here: put some into `fill`
      if (query === "") expect({ url, enough: items.length >= many }).toEqual({ url, enough: true });
      for (const limit of query === "" ? [1, many - 1] : [2])
        expect({ url, query, limit, items: await walk({ url, query, limit }) }).toEqual({ url, query, limit, items });
    }
    const sql = plainReads[url];
    if (sql === undefined) continue;
    const { rows } = await api.server.database.pool.query<{ item: object }>(
      sql,
      sql.includes("$1") ? [organization.id] : [],
    );
    const items = await walk({ url, query: "", limit: 4 });
    expect(items).toHaveLength(rows.length);
    expect({ url, items }).toMatchObject({ url, items: rows.map((row) => row.item) });
  }
}, 120_000);

describe("a cursor that is not one of the list is refused:", () => {
  type Attempt = readonly [url: string, cursor: string, query?: string, token?: string];
  /** Those that are not answered as they must be. */
  async function accepted(attempts: readonly Attempt[]): Promise<unknown[]> {
    const wrong: unknown[] = [];
    for (const [url, cursor, query, token] of attempts) {
      const { status, json } = await get(url, { cursor }, query, token);
      if (status !== 400 || json.code !== "cursor_invalid" || json.path !== "/cursor") wrong.push([url, cursor, json]);
    }
    return wrong;
  }
  const cursorOf = async (url: string, query = ""): Promise<string> =>
    (await get(url, { limit: 1 }, query)).json.next_cursor as string;
  const withCursors = async (): Promise<(List & { readonly cursor: string })[]> =>
    Promise.all(lists().map(async (list) => ({ ...list, cursor: await cursorOf(list.url) })));

  test("forged", async () => {
    const spots = [["9999999999999999"], [1e30, "x"], ["2026-13-45T99:99:99Z", "x"], [null], {}, [1], ["\u0000"]];
    const forged = spots.map((spot) => Buffer.from(JSON.stringify(spot)).toString("base64url"));
    const texts = [...forged, "", "x", "v1:", "%00", "null"];
    expect(await accepted(lists().flatMap(({ url }) => texts.map((text) => [url, text] as const)))).toEqual([]);
  });

  test("truncated, or with a letter changed", async () => {
    const attempts = (await withCursors()).flatMap(({ url, cursor }) => {
      const at = cursor.length - 6;
      const changed = `${cursor.slice(0, at)}${cursor[at] === "A" ? "B" : "A"}${cursor.slice(at + 1)}`;
      const ends = [1, 20, 40, cursor.length - 8, cursor.length - 1];
      return [changed, ...ends.map((end) => cursor.slice(0, end))].map((text) => [url, text] as const);
    });
    expect(await accepted(attempts)).toEqual([]);
  });

  test("of another list", async () => {
    const all = await withCursors();
    const attempts = all.map(({ url }, n) => [url, all[(n + 1) % all.length]?.cursor as string] as const);
    expect(await accepted([...attempts, ["/effects", await cursorOf("/customers")]])).toEqual([]);
  });

  test("of another organization", async () => {
    const all = await withCursors();
    expect(await accepted(all.map(({ url, cursor }) => [url, cursor, "", strangersToken] as const))).toEqual([]);
  });

  test("of other filters", async () => {
    const attempts = (await withCursors()).flatMap(({ url, queries, cursor }) =>
      queries.slice(1).map((query) => [url, cursor, query] as const),
    );
    const order = ["/events", await cursorOf("/events", "order=newest"), "order=oldest"] as const;
    expect(await accepted([...attempts, order])).toEqual([]);
  });
});

/** Fills every list, with rows that are made in the same instant, and some that only microseconds part. */
async function fill(): Promise<void> {
  const post = async (path: string, body: object) => {
    const answer = await api.call("POST", path, { body });
    if (answer.status >= 300) throw new Error(answer.text);
    return answer.json;
  };
  const document = (n: number) => ({
    name: "Tag",
    kind: "automatic",
    triggers: [{ event: "message.received" }],
    start: "tag",
    steps: { tag: { action: "conversation.add_tags", input: { tags: [`t-${n}`] } } },
  });
  const { id: workflow } = await post("/workflows?publish=true", document(0));
  for (let n = 1; n < many; n++) {
    await api.call("PUT", `/workflows/${workflow}`, { body: document(n) });
    await post(`/workflows/${workflow}/publish`, {});
  }
  await each((n) => post("/workflows", { ...document(n), name: `Draft ${n}` }));
  const [first] = await each((n) => post("/channels/api/messages", { from: `ada-${n}`, text: "hello" }));
  await each((n) => post(`/conversations/${first.result.conversation}/notes`, { text: `note ${n}` }));
  const mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
  const archived: string[] = [];
  await each(async (n) => {
    await post("/users", { name: `User ${n}` });
    archived.push((await post("/teams", { name: `Team ${n}` })).id);
    await post("/teams", { name: `Crew ${n}` });
    await post("/roles", { name: `Role ${n}`, rights: {} });
    await post("/mailboxes", { name: `Mailbox ${n}` });
    await post("/channels", { name: `Channel ${n}`, kind: "api", mailbox });
    await post("/calendars", { name: `Calendar ${n}`, calendar: { zone: "UTC", hours: {}, holidays: [] } });
    await post("/properties", { noun: "customer", name: `p_${n}`, type: "text" });
    await post("/tokens", { name: `Token ${n}` });
    await post("/saved-replies", { name: `Reply ${n}`, text: "Hello" });
    await post("/segments", {
      name: `Segment ${n}`,
      filter: { field: "customer.city", op: "is", value: `City ${n}` },
    });
    await post(`/customers/${first.result.customer}/notes`, { text: `note ${n}` });
    // all of one name: each two of them are a pair
    await post("/customers", { external_id: `twin-${n}`, first_name: "Ann", last_name: "Lee", zip_code: "94110" });
  });
  for (const id of archived.slice(0, 3)) await post(`/teams/${id}/archive`, {});

  const nowhere = Array.from({ length: many }, (_, n) => `01890000-0000-7000-8000-00000000000${n}`);
  const closing = { selection: { ids: nowhere }, command: "conversation.close", input: {} };
  const [job] = await each(() => post("/jobs", { kind: "conversations.change", parameters: closing }));
  params["job"] = job.id as string;
  // nothing in a list is to change while it is walked
  await vi.waitFor(
    async () => {
      const { items } = (await api.call("GET", "/jobs?state=done")).json;
      if (items.length < many) throw new Error("some jobs are not over");
    },
    { timeout: 60_000, interval: 100 },
  );

  params["workflow"] = workflow as string;
  params["folder"] = "all";
  params["customer"] = first.result.customer as string;
  params["conversation"] = first.result.conversation as string;
  const { pool } = api.server.database;
  const { rows } = await pool.query<{ lane: number; organization: string }>(
    "select lane, organization from conversations limit 1",
  );
  await untilFollowed(pool, ["listings"]);
  const place = [rows[0]?.lane, rows[0]?.organization];
  const pairs = async () => (await pool.query("select from duplicates")).rows.length;
  await vi.waitUntil(async () => (await pairs()) === (many * (many - 1)) / 2, { timeout: 30_000, interval: 100 });
  await pool.query(
    "update duplicates set dismissed_at = found_at where a in (select a from duplicates order by a limit 8)",
  );
  await pool.query(
    `insert into recorded_deliveries (lane, organization, key, message, channel, recipient, text, media, recorded_at)
select $1, $2, 'k' || n, gen_random_uuid(), gen_random_uuid(), '+1', 'x', '[]', timestamptz '2026-11-21 10:00:00.123Z' + make_interval(secs => (n / 3) / 1e6)
from generate_series(1, 61) n`,
    place,
  );
  await pool.query(
    `insert into effects (lane, organization, id, kind, order_key, key, payload, refs, status, due_at, attempt, ordinal, created_at)
select $1, $2, gen_random_uuid(), 'message.deliver', n, n, '{}', '{}', case when n % 2 = 0 then 'dead' else 'due' end, '2999-01-01', 1, n, '2026-11-21'
from generate_series(1, 20) n`,
    place,
  );
  await pool.query(
    `insert into parked (lane, organization, id, item, error, at, resolved_at)
select $1, $2, gen_random_uuid(), '{}', '{}', '2026-11-21', case when n % 2 = 0 then timestamptz '2026-11-22' end
from generate_series(1, 20) n`,
    place,
  );
  for (const table of ["customers", "conversations", "messages", "workflows", "teams", "users"])
    await pool.query(`update ${table} set created_at = '2026-11-21'`);
  await pool.query("update workflow_versions set published_at = '2026-11-21'");
}
