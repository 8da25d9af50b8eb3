import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";
import { validateEarly, validationIn } from "./early.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.call("POST", "/teams", { body: { name: "Billing" } });
});
afterAll(() => api.close());

const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  api.call("POST", path, { body, headers });
const get = (path: string) => api.call("GET", path);
const receive = async (from: string, text: string) =>
  (await post("/channels/api/messages", { from, text })).json.result;

const refunds = (name: string, word: string) => ({
  name,
  kind: "automatic",
  triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: word } }],
  start: "tag",
  steps: {
    tag: { action: "conversation.add_tags", input: { tags: [word] }, next: "page" },
    page: { action: "conversation.assign", input: { team: "billing" }, next: "reply" },
    reply: { action: "message.send", input: { text: "Hi {{ customer.first_name | default: 'there' }}" }, next: "hold" },
    hold: { wait: { for: "2h" }, next: "close" },
    close: { action: "conversation.close" },
  },
});

test("a message comes in, the workflow acts, and every step can be seen", async () => {
  const made = await post("/workflows", refunds("Refund requests", "refund"));
  expect(made).toMatchObject({
    status: 201,
    json: { slug: "refund-requests", enabled: false, published: null, problems: [] },
  });
  const published = await post("/workflows/refund-requests/publish");
  expect(published).toMatchObject({
    status: 200,
    json: { created: true, version: { number: 1 }, waiting: 0, cancelled: 0 },
  });

  const { conversation } = await receive("ada", "I want a refund");
  const read = (await get(`/conversations/${conversation}`)).json;
  expect(read).toMatchObject({
    tags: ["refund"],
    team: expect.any(String),
    messages: [{ direction: "inbound" }, { direction: "outbound", text: "Hi there", automated: true }],
  });

  const { items } = (await get(`/runs?workflow=refund-requests&conversation=${conversation}`)).json;
  expect(items).toMatchObject([{ status: "waiting", workflow: made.json.id, version: published.json.version.id }]);
  const run = (await get(`/runs/${items[0].id}`)).json;
  expect(run.steps.map((step: { step: string; status: string }) => [step.step, step.status])).toEqual([
    ["tag", "done"],
    ["page", "done"],
    ["reply", "done"],
    ["hold", "waiting"],
  ]);
  expect(run.steps[0]).toMatchObject({ input: { tags: ["refund"] }, at: expect.any(String) });
  const cancelled = await post(`/runs/${items[0].id}/cancel`, { reason: "enough" });
  expect(cancelled.status).toBe(200);
  // now in the history
  expect((await get(`/runs/${items[0].id}`)).json).toMatchObject({
    status: "cancelled",
    started_by: null,
    ended_by: { kind: "user", id: expect.any(String) },
    steps: [{}, {}, {}, { step: "hold", status: "interrupted", reason: { code: "cancelled" } }],
  });
  const told = (await get(`/events?conversation=${conversation}&type=run.cancelled`)).json.items;
  expect(told).toMatchObject([{ actor: { kind: "user" }, data: { run: items[0].id, reason: "enough" } }]);
  expect((await get("/runs?workflow=refund-requests&status=cancelled")).json.items).toHaveLength(1);
});

test("what was to be sent is kept by the recorder", async () => {
  const { conversation } = await receive("bob", "refund please");
  const sent = (await get(`/conversations/${conversation}`)).json.messages[1];
  await expect
    .poll(async () => (await get(`/deliveries?message=${sent.id}`)).json.items, { timeout: 10_000 })
    .toMatchObject([{ recipient: "bob", text: "Hi there" }]);
});

describe("a document with mistakes", () => {
  const bad = refunds("Broken", "x");
  const cases = [
    [
      "an unknown action",
      { ...bad, steps: { ...bad.steps, close: { action: "conversation.explode" } } },
      "/steps/close/action",
    ],
    [
      "a dangling edge",
      { ...bad, steps: { ...bad.steps, close: { action: "conversation.close", next: "nowhere" } } },
      "/steps/close/next",
    ],
    [
      "a cycle without a wait",
      {
        ...bad,
        steps: { ...bad.steps, page: { action: "conversation.assign", input: { team: "billing" }, next: "tag" } },
      },
      "/steps/",
    ],
    [
      "a regular expression that RE2 refuses",
      {
        ...bad,
        triggers: [{ event: "message.received", when: { field: "message.text", op: "matches", value: "(?=a)" } }],
      },
      "/triggers/0",
    ],
    [
      "a template that does not parse",
      { ...bad, steps: { ...bad.steps, reply: { action: "message.send", input: { text: "{% if %}" } } } },
      "/steps/reply",
    ],
    [
      "a team that does not exist",
      { ...bad, steps: { ...bad.steps, page: { action: "conversation.assign", input: { team: "odd" } } } },
      "/steps/page",
    ],
    ["an unknown field", { ...bad, colour: "red" }, "/colour"],
  ] as const;

  test.each(cases)("%s is refused, and nothing is kept", async (_name, document, path) => {
    const before = (await get("/workflows?limit=100")).json.items.length;
    for (const query of ["", "?publish=true"]) {
      const answer = await post(`/workflows${query}`, document);
      expect(answer).toMatchObject({
        status: 422,
        json: { code: "workflow_invalid", path: expect.stringContaining(path) },
      });
      expect(answer.json.problems.length).toBeGreaterThan(0);
    }
    expect((await get("/workflows?limit=100")).json.items.length).toBe(before);
    const check = await post("/workflows/validate", document);
    expect(check).toMatchObject({ status: 200, json: { publishable: false } });
  });

  test("may have an order that is none while it is a draft", async () => {
    const made = await post("/workflows?draft=true", { name: "Far", order: 99_999_999_999 });
    expect(made).toMatchObject({ status: 201, json: { position: 0 } });
    expect(made.json.problems.map((one: { path: string }) => one.path)).toContain("/order");
  });

  test("may be kept as a draft, but not published", async () => {
    const made = await post("/workflows?draft=true", { name: "Later" });
    expect(made.status).toBe(201);
    expect(made.json.problems.length).toBeGreaterThan(0);
    expect(await post(`/workflows/${made.json.id}/publish`)).toMatchObject({
      status: 422,
      json: { code: "workflow_invalid" },
    });
    expect(await post(`/workflows/${made.json.id}/enable`)).toMatchObject({
      status: 409,
      json: { code: "workflow_unpublished" },
    });
    expect(await get(`/workflows/later/diff?from=draft`)).toMatchObject({
      status: 409,
      json: { code: "draft_unfinished" },
    });
    expect(await post("/workflows?draft=true", { name: "x", odd: 1 })).toMatchObject({
      status: 422,
      json: { path: "/odd" },
    });
    expect(await post("/workflows?draft=true", {})).toMatchObject({ status: 422, json: { path: "/name" } });
  });

  test.each(["[]", '"text"', "null", "{}"])("%s can be validated all the same", async (document) => {
    expect(await post("/workflows/validate", document)).toMatchObject({ status: 200, json: { publishable: false } });
  });
});

test("versions: another is made only for another meaning, and waiting runs stay or go", async () => {
  const { id, slug } = (await post("/workflows?publish=true", refunds("Versions", "version"))).json;
  expect(slug).toBe("versions");
  const { conversation } = await receive("carl", "version");
  const waits = async () => (await get(`/runs?workflow=${id}&status=waiting`)).json.items.length;
  expect(await waits()).toBe(1);

  expect(await post(`/workflows/${id}/publish`)).toMatchObject({
    json: { created: false, version: { number: 1 }, waiting: 0 },
  });
  const next = {
    ...refunds("Versions", "version"),
    steps: { ...refunds("x", "version").steps, hold: { wait: { for: "3h" }, next: "close" } },
  };
  expect(await api.call("PUT", `/workflows/${id}`, { body: next })).toMatchObject({
    status: 200,
    json: { version: { number: 1 } },
  });
  expect((await get(`/workflows/${id}/diff?from=1`)).json.differences).toMatchObject([
    { path: expect.stringContaining("/steps/hold"), kind: "changed" },
  ]);
  expect(await post(`/workflows/${id}/publish`)).toMatchObject({
    json: { created: true, version: { number: 2 }, waiting: 1, cancelled: 0 },
  });
  expect(await waits()).toBe(1);
  await receive("carla", "version");
  expect(await post(`/workflows/${id}/publish`, { waiting: "cancel" })).toMatchObject({
    json: { created: false, waiting: 1, cancelled: 1 },
  });
  const left = (await get(`/runs?workflow=${id}`)).json.items;
  expect(left.map((run: { status: string }) => run.status)).toEqual(["waiting", "cancelled"]);
  expect(left[1]).toMatchObject({ conversation });

  expect((await get(`/workflows/${id}/versions`)).json.items.map((one: { number: number }) => one.number)).toEqual([
    2, 1,
  ]);
  expect((await get(`/workflows/${id}/versions/1`)).json.document.steps.hold.wait.for).toBe("2h");
  expect(await get(`/workflows/${id}/versions/9`)).toMatchObject({ status: 404, json: { code: "version_not_found" } });
  expect((await get(`/workflows/${id}/diff?from=1&to=2`)).json.differences).toHaveLength(1);
});

test("enable, disable, order, archive", async () => {
  const first = (await post("/workflows?publish=true", refunds("First", "switch"))).json;
  const second = (await post("/workflows?publish=true", refunds("Second", "switch"))).json;
  const runs = async (from: string) => {
    const { conversation } = await receive(from, "switch");
    return (await get(`/runs?conversation=${conversation}`)).json.items.length;
  };
  expect(await runs("d1")).toBe(2);
  expect(await post("/workflows/first/disable")).toMatchObject({ status: 200, json: { enabled: false } });
  expect(await runs("d2")).toBe(1);
  expect(await post("/workflows/first/enable")).toMatchObject({ status: 200, json: { enabled: true } });
  const order = await post("/workflows/order", { workflows: ["second", first.id] });
  expect(order.json.workflows.slice(0, 2).map((one: { slug: string }) => one.slug)).toEqual(["second", "first"]);
  expect((await get("/workflows?limit=1")).json).toMatchObject({
    items: [{ slug: "second" }],
    next_cursor: expect.any(String),
  });
  expect(await post("/workflows/order", { workflows: ["second", "odd"] })).toMatchObject({
    status: 422,
    json: { path: "/workflows/1" },
  });
  expect(await post("/workflows/second/archive")).toMatchObject({
    status: 200,
    json: { archived_at: expect.any(String), enabled: false },
  });
  expect(await get("/workflows/second")).toMatchObject({ status: 404 });
  expect(await get(`/workflows/${second.id}`)).toMatchObject({ status: 200 });
  expect(await post(`/workflows/${second.id}/publish`)).toMatchObject({
    status: 409,
    json: { code: "workflow_archived" },
  });
  expect(await runs("d3")).toBe(1);
});

test("a workflow that names what gets archived is paused, and says why", async () => {
  const team = (await post("/teams", { name: "Temporary" })).json;
  const document = refunds("Names a team", "temporary");
  document.steps.page.input.team = "temporary";
  const { id } = (await post("/workflows?publish=true", document)).json;
  await post(`/teams/${team.id}/archive`);
  expect((await get(`/workflows/${id}`)).json).toMatchObject({
    enabled: false,
    paused_reason: expect.stringContaining("/steps/page"),
  });
  const { items } = (await get("/events?order=newest&limit=2")).json;
  const me = (await get("/me")).json.user;
  expect(items).toMatchObject([
    {
      type: "workflow.paused",
      actor: { kind: "user", id: me.id },
      cause: { event: items[1].id },
      root: items[1].root,
      data: {
        workflow: { id, slug: "names-a-team", name: "Names a team" },
        owner: { id: me.id, name: me.name },
        reason: expect.stringContaining("/steps/page"),
      },
    },
    { type: "settings.changed", seq: items[0].seq - 1, data: { noun: "team", id: team.id } },
  ]);
  expect(await post(`/workflows/${id}/enable`)).toMatchObject({ status: 422, json: { code: "workflow_invalid" } });
});

test("a second calendar pauses what says business_hours without saying whose, and its owner hears of it", async () => {
  const calendar = { zone: "UTC", hours: { mon: [["09:00", "17:00"]] }, holidays: [] };
  const first = await post("/calendars", { name: "Opening hours", calendar });
  expect(first.status).toBe(201);
  const document = {
    name: "In open time",
    kind: "automatic",
    triggers: [{ event: "message.received" }],
    start: "hold",
    steps: { hold: { wait: { for: "2h", in: "business_hours" } } },
  };
  const { id } = (await post("/workflows?publish=true", document)).json;
  expect((await post("/calendars", { name: "Night shift", calendar })).status).toBe(201);
  expect((await get(`/workflows/${id}`)).json).toMatchObject({
    enabled: false,
    paused_reason: expect.stringContaining("several"),
  });
  const me = (await get("/me")).json.user;
  expect((await get("/events?order=newest&limit=1")).json.items).toMatchObject([
    {
      type: "workflow.paused",
      data: { workflow: { id }, owner: { id: me.id }, reason: expect.stringContaining("several") },
    },
  ]);
});

test("a conversation's run hears what happens to its customer, batches later", async () => {
  const document = {
    name: "Until they leave",
    kind: "automatic",
    triggers: [{ event: "message.received", when: { field: "message.text", op: "is", value: "keep me" } }],
    start: "hold",
    steps: {
      hold: { wait: { for: "2d", unless: "customer.unsubscribed" }, onInterrupt: "tag" },
      tag: { action: "conversation.add_tags", input: { tags: ["left"] } },
    },
  };
  expect((await post("/workflows?publish=true", document)).status).toBe(201);
  const { conversation } = await receive("zoe", "keep me");
  const other = await receive("yves", "keep me");
  await post(`/conversations/${conversation}/close`);
  const { customer } = (await get(`/conversations/${conversation}`)).json;
  expect((await post(`/customers/${customer.id ?? customer}/unsubscribe`)).status).toBe(200);
  const runs = async (of: string) => (await get(`/runs?workflow=until-they-leave&conversation=${of}`)).json.items;
  expect(await runs(conversation)).toMatchObject([{ status: "finished", waiting: null }]);
  expect(await runs(other.conversation)).toMatchObject([{ status: "waiting" }]);
  expect((await get(`/conversations/${conversation}`)).json.tags).toEqual(["left"]);
});

test("a manual workflow is started over the API", async () => {
  const document = {
    name: "By hand",
    kind: "manual",
    start: "close",
    steps: { close: { action: "conversation.close" } },
  };
  await post("/workflows?publish=true", document);
  const { conversation } = await receive("eve", "hello");
  const started = await post("/workflows/by-hand/runs", { conversation });
  expect(started).toMatchObject({ status: 201, json: { result: { run: expect.any(String) } } });
  expect((await get(`/runs/${started.json.result.run}`)).json).toMatchObject({
    status: "finished",
    started_by: { kind: "user", id: expect.any(String) },
    ended_by: null,
  });
  const told = (await get(`/events?conversation=${conversation}&type=run.started`)).json.items;
  expect(told).toMatchObject([{ actor: { kind: "user" }, data: { run: started.json.result.run } }]);
  expect((await get(`/conversations/${conversation}`)).json.status).toBe("closed");
  expect(await post("/workflows/odd/runs", { conversation })).toMatchObject({ status: 404 });
});

test("an idempotency key publishes once", async () => {
  const key = { "idempotency-key": "w-1" };
  const first = await post("/workflows?publish=true", refunds("Keyed", "keyed"), key);
  const again = await post("/workflows?publish=true", refunds("Keyed", "keyed"), key);
  expect(again.json).toEqual(first.json);
});

test("what a draft was found to be before the lane was taken counts only while nothing has changed since", async () => {
  const { pool } = api.server.database;
  const { rows } = await pool.query("select lane, organization, config_version from organizations limit 1");
  const [place] = rows;
  const settings = await api.server.engine.settings(place);
  const document = { name: "Early", kind: "manual", start: "done", steps: { done: { stop: true } } };
  const wrong = { ...document, start: "nowhere" };
  const client = await pool.connect();
  try {
    const early = validateEarly(document, settings);
    expect(await validationIn(client, place, structuredClone(document), early)).toBe(early.validation);
    expect((await validationIn(client, place, wrong, early)).problems).not.toEqual([]);
    const stale = { ...early, version: early.version - 1 };
    const again = await validationIn(client, place, document, stale);
    expect([again === early.validation, again]).toEqual([false, early.validation]);
    expect((await validationIn(client, place, wrong, null)).problems).not.toEqual([]);
  } finally {
    client.release();
  }
});
