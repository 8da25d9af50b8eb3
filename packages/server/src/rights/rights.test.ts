import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiAnswer, startTestApi, type TestApi, testToken } from "../testing/test-api.ts";

let api: TestApi;
/** Ann may see all mailboxes but `secret`; Eve those and `secret`. */
let ann: Person;
let eve: Person;
let mailboxes: { readonly inbox: string; readonly secret: string };
let channels: { readonly inbox: string; readonly secret: string };

interface Person {
  readonly id: string;
  readonly token: string;
}
type Method = "GET" | "POST" | "PATCH" | "PUT";

const ask = (token: string, method: Method, path: string, body?: object): Promise<ApiAnswer> =>
  api.call(method, path, { token, ...(body !== undefined && { body }) });
const owner = (method: Method, path: string, body?: object) => ask(testToken, method, path, body);
const make = async (path: string, body: object, token = testToken) => {
  const answer = await ask(token, "POST", path, body);
  if (answer.status >= 300) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}`);
  return answer.json.result ?? answer.json;
};
const person = async (fields: object): Promise<Person> => {
  const { id } = await make("/users", { name: "Somebody", ...fields });
  return { id, token: (await make("/tokens", { name: "t", user: id })).token };
};
const ids = ({ json }: ApiAnswer): string[] => json.items.map(({ id }: { id: string }) => id);

beforeAll(async () => {
  api = await startTestApi();
  [ann, eve] = [await person({ role: "agent" }), await person({ role: "agent" })];
  const inbox = await make("/mailboxes", { name: "Open" });
  const secret = await make("/mailboxes", { name: "Secret", access: "members", users: [eve.id] });
  mailboxes = { inbox: inbox.id, secret: secret.id };
  const line = async (name: string, mailbox: string) => (await make("/channels", { name, kind: "sms", mailbox })).id;
  channels = { inbox: await line("Open line", inbox.id), secret: await line("Secret line", secret.id) };
}, 60_000);
afterAll(() => api.close());

describe("a mailbox that keeps to its members", () => {
  test("is seen by them alone, with all that is in it, from the moment that they are", async () => {
    const { conversation, customer } = await make(`/channels/${channels.secret}/messages`, {
      from: "+14155550001",
      text: "Hi",
    });
    const seenBy = async ({ token }: Person) => [
      ids(await ask(token, "GET", "/mailboxes")).includes(mailboxes.secret),
      ids(await ask(token, "GET", "/conversations")).includes(conversation),
      ids(await ask(token, "GET", "/customers")).includes(customer),
      (await ask(token, "POST", `/conversations/${conversation}/notes`, { text: "x" })).status === 201,
    ];
    expect(await seenBy(ann)).toEqual([false, false, false, false]);
    expect(await seenBy(eve)).toEqual([true, true, true, true]);
    const team = await make("/teams", { name: "Insiders", members: [ann.id] });
    expect(await owner("PATCH", `/mailboxes/${mailboxes.secret}`, { teams: [team.id] })).toMatchObject({ status: 200 });
    expect(await seenBy(ann)).toEqual([true, true, true, true]);
    expect(await owner("POST", `/teams/${team.id}/archive`)).toMatchObject({ json: { code: "team_in_use" } });
    expect(await owner("PATCH", `/mailboxes/${mailboxes.secret}`, { teams: [] })).toMatchObject({ status: 200 });
    expect(await seenBy(ann)).toEqual([false, false, false, false]);
  });

  test("is in no count: a customer's conversations there are told to who may see them", async () => {
    const from = "+14155550002";
    const { customer, conversation } = await make(`/channels/${channels.inbox}/messages`, { from, text: "Hi" });
    await make(`/channels/${channels.secret}/messages`, { from, text: "Hi" });
    const counts = async ({ token }: Person) => {
      const { state, open_conversations, unreplied_conversations } = (await ask(token, "GET", `/customers/${customer}`))
        .json;
      return [state, open_conversations, unreplied_conversations];
    };
    expect(await counts(eve)).toEqual(["unreplied", 2, 2]);
    expect(await counts(ann)).toEqual(["unreplied", 1, 1]);
    await make(`/conversations/${conversation}/close`, {}, ann.token);
    expect(await counts(eve)).toEqual(["unreplied", 1, 1]);
    expect(await counts(ann)).toEqual(["closed", 0, 0]);
    const listed = async ({ token }: Person, state: string) =>
      ids(await ask(token, "GET", `/customers?state=${state}&phone=${encodeURIComponent(from)}`));
    expect([await listed(ann, "closed"), await listed(ann, "unreplied"), await listed(ann, "replied")]).toEqual([
      [customer],
      [],
      [],
    ]);
    expect([await listed(eve, "closed"), await listed(eve, "unreplied")]).toEqual([[], [customer]]);
    expect((await ask(ann.token, "GET", `/conversations/${conversation}`)).json.customer_detail).toMatchObject({
      open_conversations: 0,
    });
  });

  test("is not known by name: filters, documents and commands answer as for a name that nothing has", async () => {
    const both = async (method: Method, path: (name: string) => string, body: (name: string) => object | undefined) => {
      const [secret, nothing] = await Promise.all(
        ["secret", "nothing"].map((name) => ask(ann.token, method, path(name), body(name))),
      );
      expect(secret?.json).toEqual(nothing?.json);
      return secret?.status;
    };
    expect(
      await both(
        "GET",
        (name) => `/conversations?mailbox=${name}`,
        () => undefined,
      ),
    ).toBe(422);
    const { conversation } = await make(`/channels/${channels.inbox}/messages`, { from: "+14155550003", text: "Hi" });
    expect(
      await both(
        "POST",
        () => `/conversations/${conversation}/move`,
        (mailbox) => ({ mailbox }),
      ),
    ).toBe(404);
  });

  test("keeps bulk work out", async () => {
    const { customer, conversation } = await make(`/channels/${channels.secret}/messages`, {
      from: "+14155550004",
      text: "Hi",
    });
    const bulk = async (noun: string, id: string) => {
      const parameters = { selection: { ids: [id] }, command: `${noun}.add_tags`, input: { tags: ["bulk"] } };
      const job = await make("/jobs", { kind: `${noun}s.change`, parameters }, ann.token);
      await expect
        .poll(async () => (await ask(ann.token, "GET", `/jobs/${job.id}`)).json.state, { timeout: 30_000 })
        .toBe("done");
      return (await ask(ann.token, "GET", `/jobs/${job.id}/refusals`)).json.items[0].code;
    };
    expect(await bulk("customer", customer)).toBe("customer_not_found");
    expect(await bulk("conversation", conversation)).toBe("conversation_not_found");
    expect((await owner("GET", `/customers/${customer}`)).json.tags).toEqual([]);
  });
});

describe("tokens with scopes", () => {
  test("do what the scopes name, of what their user may", async () => {
    const user = eve.id;
    const { token } = await make("/tokens", {
      name: "reader",
      user,
      scopes: ["conversations.read", "customers.erase"],
    });
    expect((await ask(token, "GET", "/me")).json.permissions).toEqual(["conversations.read"]);
    const { conversation, customer } = await make(`/channels/${channels.secret}/messages`, {
      from: "+14155550005",
      text: "Hi",
    });
    expect(await ask(token, "GET", `/conversations/${conversation}`)).toMatchObject({
      status: 200,
      json: { customer_detail: null },
    });
    for (const [method, path] of [
      ["GET", "/customers"],
      ["GET", "/mailboxes"],
      ["POST", `/conversations/${conversation}/close`],
      ["POST", `/customers/${customer}/erase`],
    ] as const)
      expect(await ask(token, method, path, method === "POST" ? {} : undefined)).toMatchObject({ status: 403 });
    expect(await owner("POST", "/tokens", { name: "x", scopes: ["flies"] })).toMatchObject({
      json: { code: "permission_unknown", path: "/scopes/0" },
    });
  });

  test("make none that may do more", async () => {
    const scopes = ["tokens.write", "settings.read"];
    const { token } = await make("/tokens", { name: "minter", scopes });
    expect(await ask(token, "POST", "/tokens", { name: "x" })).toMatchObject({
      status: 403,
      json: { code: "not_yours_to_give" },
    });
    expect(await ask(token, "POST", "/tokens", { name: "x", scopes: ["settings.read"] })).toMatchObject({
      status: 201,
      json: { scopes: ["settings.read"] },
    });
  });
});

describe("workflows", () => {
  const document = (name: string, mailboxes?: readonly string[]) => ({
    name,
    kind: "manual",
    ...(mailboxes && { mailboxes }),
    start: "end",
    steps: { end: { stop: true } },
  });

  test("are seen, changed and published by who may in all their mailboxes", async () => {
    const rights = { "workflows.read": "mailboxes", "workflows.write": "mailboxes", "workflows.publish": "mailboxes" };
    const author = await person({ role: (await make("/roles", { name: "Author", rights })).id });
    const secret = await make("/workflows?publish=true", document("Hidden", [mailboxes.secret]));
    const all = await make("/workflows?publish=true", document("For all"));
    const own = await make("/workflows?publish=true", document("Own", ["open"]), author.token);
    const as = (method: Method, path: string, body?: object) => ask(author.token, method, path, body);
    expect(new Set(ids(await as("GET", "/workflows")))).toEqual(new Set([all.id, own.id]));
    expect(await as("GET", `/workflows/${all.id}`)).toMatchObject({ status: 200 });
    const forbidden = { status: 403, json: { code: "not_in_all_mailboxes" } };
    for (const mailbox of ["secret", "nothing"])
      expect(await as("POST", "/workflows", document("New", [mailbox]))).toMatchObject(forbidden);
    expect(await as("POST", "/workflows", document("New"))).toMatchObject(forbidden);
    expect(await as("PUT", `/workflows/${own.id}`, document("Wider"))).toMatchObject(forbidden);
    expect(await as("PUT", `/workflows/${own.id}`, document("Renamed", ["open"]))).toMatchObject({ status: 200 });
    expect(await as("POST", "/workflows/order", { workflows: [own.id] })).toMatchObject(forbidden);
    for (const way of ["publish", "disable", "archive"]) {
      expect(await as("POST", `/workflows/${all.id}/${way}`, {})).toMatchObject(forbidden);
      expect(await as("POST", `/workflows/${secret.id}/${way}`, {})).toMatchObject({
        json: { code: "workflow_not_found" },
      });
      expect(await as("POST", `/workflows/${own.id}/${way}`, {})).toMatchObject({ status: 200 });
    }
    const { problems } = (await as("POST", "/workflows/validate", document("New", ["secret"]))).json;
    expect(problems).toEqual(
      (await as("POST", "/workflows/validate", document("New", ["nothin"]))).json.problems.map(
        (one: { message: string }) => ({
          ...one,
          message: one.message.replace("nothin", "secret"),
        }),
      ),
    );
  });
});

describe("nobody gives what they lack", () => {
  let admin: Person;
  let keeper: Person;
  beforeAll(async () => {
    admin = await person({ role: "admin" });
    const rights = {
      "users.write": "everywhere",
      "tokens.write": "everywhere",
      "settings.write": "everywhere",
      "conversations.read": "mailboxes",
    };
    keeper = await person({ role: (await make("/roles", { name: "Keeper", rights })).id });
  });
  const refused = { status: 403, json: { code: "not_yours_to_give" } };

  test("an administrator makes no owners, and changes none", async () => {
    const { user } = (await owner("GET", "/me")).json;
    expect(await ask(admin.token, "PATCH", `/users/${admin.id}`, { role: "owner" })).toMatchObject(refused);
    expect(await ask(admin.token, "POST", "/users", { name: "x", role: "owner" })).toMatchObject(refused);
    expect(await ask(admin.token, "PATCH", `/users/${user.id}`, { email: "mine@example.com" })).toMatchObject(refused);
    expect(await ask(admin.token, "POST", `/users/${user.id}/archive`)).toMatchObject(refused);
    expect(await ask(admin.token, "POST", "/tokens", { name: "x", user: user.id })).toMatchObject(refused);
    expect(await ask(admin.token, "POST", "/users", { name: "x", role: "supervisor" })).toMatchObject({ status: 201 });
  });

  test("a role of one's own is no way around it", async () => {
    const role = { name: "More", rights: { "customers.erase": "everywhere" } };
    expect(await ask(keeper.token, "POST", "/roles", role)).toMatchObject(refused);
    expect(
      await ask(keeper.token, "POST", "/roles", { name: "Wider", rights: { "conversations.read": "everywhere" } }),
    ).toMatchObject(refused);
    expect(
      await ask(keeper.token, "POST", "/roles", { name: "Less", rights: { "conversations.read": "own" } }),
    ).toMatchObject({ status: 201 });
    expect(await ask(keeper.token, "POST", "/users", { name: "x", role: "agent" })).toMatchObject(refused);
    expect(await owner("POST", "/roles", { name: "x", rights: { flies: "own" } })).toMatchObject({
      json: { code: "permission_unknown" },
    });
    expect(await owner("POST", "/roles", { name: "x", rights: { "settings.read": "own" } })).toMatchObject({
      json: { code: "scope_not_possible" },
    });
    expect(await owner("PATCH", `/users/${ann.id}`, { role: mailboxes.inbox })).toMatchObject({
      json: { code: "role_not_found" },
    });
  });

  test("nor is a mailbox or a team: access comes from who has it", async () => {
    expect(await ask(keeper.token, "PATCH", `/mailboxes/${mailboxes.secret}`, { access: "everyone" })).toMatchObject({
      status: 403,
    });
    expect(await ask(keeper.token, "PATCH", `/mailboxes/${mailboxes.inbox}`, { name: "Still open" })).toMatchObject({
      status: 200,
    });
    const team = await make("/teams", { name: "Keepers" });
    await owner("PATCH", `/mailboxes/${mailboxes.secret}`, { teams: [team.id] });
    expect(await ask(keeper.token, "PATCH", `/teams/${team.id}`, { members: [keeper.id] })).toMatchObject(refused);
    await owner("PATCH", `/mailboxes/${mailboxes.secret}`, { teams: [] });
    expect(await ask(keeper.token, "PATCH", `/teams/${team.id}`, { members: [keeper.id] })).toMatchObject({
      status: 200,
    });
  });

  test("a role that somebody has stays, and so does the last owner", async () => {
    const { user } = (await ask(keeper.token, "GET", "/me")).json;
    expect(await owner("POST", `/roles/${user.role}/archive`)).toMatchObject({ json: { code: "role_in_use" } });
    const me = (await owner("GET", "/me")).json.user;
    expect(await owner("PATCH", `/users/${me.id}`, { role: "admin" })).toMatchObject({ json: { code: "last_owner" } });
    const second = await person({ role: "owner" });
    expect(await ask(second.token, "POST", `/users/${me.id}/archive`)).toMatchObject({ status: 200 });
    expect(await ask(second.token, "POST", `/users/${second.id}/archive`)).toMatchObject({
      json: { code: "last_owner" },
    });
  });
});
