import {
  builtInRoles,
  type Grants,
  grantsOfRole,
  isBuiltIn,
  type Permission,
  permissionFacts,
  permissions,
  roles,
} from "@threadmill/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOrganization } from "../features/organization/create.ts";
import { matrixTable, type Line } from "../testing/matrix/table.ts";
import { inMailbox, makeThings, nothing, type Things } from "../testing/matrix/things.ts";
import { type ApiAnswer, startTestApi, type TestApi, testToken } from "../testing/test-api.ts";

interface Route {
  /** as in the table: "GET /teams/:id" */
  readonly name: string;
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly path: string;
  readonly permission: Permission | null;
}
interface Caller {
  readonly name: string;
  readonly token: string;
  readonly grants: Grants;
  /** whether something is out of its reach within the organization */
  readonly bounded: boolean;
}

let api: TestApi;
let routes: readonly Route[];
let callers: readonly Caller[];
let own: Things;
let hidden: Things;
let others: Things;
let absent: Things;

beforeAll(async () => {
  api = await startTestApi();
  routes = routesOf(api);
  const made = async (path: string, body: object) => {
    const answer = await api.call("POST", path, { body });
    if (answer.status >= 300) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}`);
    return answer.json as Record<string, string>;
  };
  const narrow = Object.fromEntries(
    permissions.filter((name) => permissionFacts(name).scoped).map((name) => [name, "own" as const]),
  );
  const rightsOfOwn = { ...narrow, "settings.read": "everywhere" } as const;
  const ownRole = await made("/roles", { name: "Own", rights: rightsOfOwn });
  const wanted = [
    ...roles
      .filter((role) => role !== "owner" && role !== "robot")
      .map((role) => ({ name: role as string, role: role as string })),
    { name: "a role of one's own", role: ownRole["id"] as string },
  ];
  const users = await Promise.all(
    wanted.map(async ({ name, role }) => {
      const kind = role === "assistant" ? { kind: "assistant" } : {};
      const user = await made("/users", { name, role, ...kind });
      return { name, role, id: user["id"] as string };
    }),
  );
  const tokens = await Promise.all(users.map(({ id }) => made("/tokens", { name: "Matrix", user: id })));
  const agent = users.find(({ role }) => role === "agent") as { id: string };
  const scoped = await made("/tokens", {
    name: "Scoped",
    user: agent.id,
    scopes: ["conversations.read", "settings.write"],
  });
  const held = { slug: "own", name: "Own", id: ownRole["id"] as string, rights: rightsOfOwn, archived_at: null };
  const grantsOf = (role: string): Grants => (isBuiltIn(role) ? builtInRoles[role] : grantsOfRole(held));
  callers = [
    { name: "owner", token: testToken, grants: builtInRoles.owner, bounded: false },
    ...users.map(({ name, role }, n) => ({
      name,
      token: tokens[n]?.["token"] as string,
      grants: grantsOf(role),
      bounded: role !== "admin",
    })),
    {
      name: "a token with scopes",
      token: scoped["token"] as string,
      grants: new Map([["conversations.read", "mailboxes"]]),
      bounded: true,
    },
  ];
  const insiders = users.map(({ id }) => id);
  own = await makeThings(api, testToken, { access: "members", users: insiders });
  hidden = await makeThings(api, testToken, { access: "members" });
  const other = await createOrganization(api.server.database.pool, { name: "Other" });
  others = await makeThings(api, other.token, {});
  absent = nothing(own);
  holder = users.find(({ role }) => role === ownRole["id"])?.id as string;
}, 120_000);

afterAll(() => api.close());

/** Whom `own` is assigned to, for who reaches what is assigned to them alone. */
let holder: string;

interface Operation {
  readonly security?: readonly object[];
  readonly "x-permission"?: Permission;
}

function routesOf({ server }: TestApi): Route[] {
  const { paths } = server.app.swagger() as unknown as { readonly paths: Record<string, Record<string, Operation>> };
  const found = Object.entries(paths).flatMap(([address, methods]) =>
    Object.entries(methods)
      // who signs in has no rights yet
      .filter(([, { security }]) => security === undefined || security.length > 0)
      .map(([verb, operation]) => {
        const method = verb.toUpperCase() as Route["method"];
        const path = address.replace(/^\/api\/v2/, "").replaceAll(/\{(\w+)\}/g, ":$1");
        return { name: `${method} ${path}`, method, path, permission: operation["x-permission"] ?? null };
      }),
  );
  // what ends a thing comes last
  return found.sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}
const endings = ["/discard", "/cancel", "/merge", "/erase", "/revoke", "/archive"];
const rank = (name: string): number =>
  endings.findIndex(
    (ending) => name.endsWith(ending) || name.startsWith("DELETE /folders") || name.startsWith("DELETE /saved"),
  );

const singular: Readonly<Record<string, string>> = {
  calendars: "calendar",
  properties: "property",
  mailboxes: "mailbox",
};

/** The address of a route for some things; what a table's line does not say follows from the names in it. */
function addressOf({ path }: Route, line: Line, it: Things): string {
  const given = { ...it, ...line.params?.(it) } as Readonly<Record<string, string>>;
  const [, noun = ""] = path.split("/");
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const key = name === "id" ? (singular[noun] ?? noun.replace(/s$/, "")) : name;
    const value = given[key];
    if (value === undefined) throw new Error(`${path}: the table does not say what :${name} is`);
    return value;
  });
  return filled + (line.query?.(it) ?? "");
}

async function ask(caller: Caller, route: Route, it: Things): Promise<ApiAnswer> {
  const line = matrixTable[route.name] as Line;
  const body = line.body?.(it) ?? (route.method === "GET" || route.method === "DELETE" ? undefined : {});
  return api.call(route.method, addressOf(route, line, it), {
    token: caller.token,
    ...(body !== undefined && { body }),
  });
}

/** All of an answer that a caller could tell two of them apart by. */
const told = ({ status, headers, text }: ApiAnswer) => {
  const { date: _, ...rest } = headers;
  return { status, headers: rest, text };
};

/** Puts back what earlier requests did to the caller's own. */
async function restore(): Promise<void> {
  const { pool } = api.server.database;
  const { mailbox, customer, otherCustomer } = own;
  await pool.query("update conversations set assignee = $2, status = 'open', merged_into = null where mailbox = $1", [
    mailbox,
    holder,
  ]);
  await pool.query("update customers set merged_into = null, erased_at = null where id = any($1)", [
    [customer, otherCustomer],
  ]);
}

test("every route of the native API stands in the table, and nothing else does", () => {
  expect(Object.keys(matrixTable).toSorted()).toEqual(routes.map(({ name }) => name).toSorted());
});

describe("the matrix", () => {
  const cases = { routes: 0, asked: 0 };
  const lines = Object.keys(matrixTable).toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));

  test.each(lines)(
    "%s",
    async (name) => {
      const route = routes.find((each) => each.name === name);
      if (route === undefined) return;
      const line = matrixTable[name] as Line;
      cases.routes += 1;
      const wrong: string[] = [];
      for (const caller of callers) {
        const may = route.permission === null || caller.grants.has(route.permission);
        const say = (what: string, answer: ApiAnswer) => {
          wrong.push(`${caller.name}: ${what}, answered ${answer.status} ${answer.text.slice(0, 300)}`);
        };
        if (!may) {
          const [mine, theirs, nobodys] = [
            await ask(caller, route, own),
            await ask(caller, route, others),
            await ask(caller, route, absent),
          ];
          cases.asked += 3;
          for (const answer of [mine, theirs, nobodys]) {
            if (answer.status !== 403) say("may not", answer);
            else if (answer.text !== mine.text) say("is told apart", answer);
          }
          continue;
        }
        if (line.unread === true) continue;
        const hasTarget = addressOf(route, line, own) !== addressOf(route, line, absent);
        const walls = isWalled(route);
        const alike = (things: Things) => (walls ? inMailbox(things, own) : things);
        const nobodys = hasTarget ? await ask(caller, route, alike(absent)) : null;
        if (nobodys !== null) {
          const theirs = await ask(caller, route, alike(others));
          cases.asked += 2;
          if (nobodys.status >= 500) say("fails for what does not exist", nobodys);
          if (JSON.stringify(told(theirs)) !== JSON.stringify(told(nobodys)))
            say(`another organization's is not as ${nobodys.status} ${nobodys.text.slice(0, 200)}`, theirs);
        }
        if (caller.bounded && nobodys !== null && walls) {
          const walled = await ask(caller, route, alike(hidden));
          cases.asked += 1;
          if (JSON.stringify(told(walled)) !== JSON.stringify(told(nobodys)))
            say(`a hidden one is not as ${nobodys.status} ${nobodys.text.slice(0, 200)}`, walled);
        }
        await restore();
        const mine = await ask(caller, route, own);
        cases.asked += 1;
        if (
          caller.name === "owner" &&
          line.refused !== true &&
          mine.status !== (line.answers ?? Math.min(mine.status, 299))
        )
          say("should be able to", mine);
        // `forbidden` where more is asked for than the right itself, such as the right in every mailbox
        const denied =
          [401, 404].includes(mine.status) &&
          mine.status !== line.answers &&
          line.once !== true &&
          line.refused !== true;
        if (denied || mine.status >= 500) say("may, and cannot", mine);
        if (caller.bounded) {
          const seen = secrets().filter((secret) => mine.text.includes(secret));
          if (seen.length > 0) say(`is shown ${seen.join(", ")}`, mine);
        }
      }
      expect(wrong).toEqual([]);
    },
    60_000,
  );

  test("was walked", () => {
    expect(cases.routes).toBe(routes.length);
    expect(cases.asked).toBeGreaterThan(1000);
    if (process.env["MATRIX_SIZE"] !== undefined)
      process.stdout.write(`${JSON.stringify({ ...cases, callers: callers.length })}\n`);
  });
});

/** Whether what a route is about lives in a mailbox. */
const isWalled = ({ path }: Route): boolean =>
  /:(?:conversation|customer|message|note|run|effect|channel|workflow)\b|^\/(?:mailboxes|channels)\/:id/.test(path) ||
  ["/conversations", "/events", "/runs"].includes(path);

/** What must be in no answer to who may not see it. */
const secrets = (): string[] =>
  [hidden, others].flatMap(({ mailbox, channel, customer, conversation, message, workflow, run }) => [
    mailbox,
    channel,
    customer,
    conversation,
    message,
    workflow,
    run,
  ]);

test("docs/permissions.md is in step (update it with vitest -u)", async () => {
  await expect(permissionsMarkdown(routes)).toMatchFileSnapshot("../../../../docs/permissions.md");
});

function permissionsMarkdown(all: readonly Route[]): string {
  const shown = roles.map((role) => `\`${role}\``).join(" | ");
  const rows = permissions.map((name) => {
    const cells = roles.map((role) => builtInRoles[role].get(name) ?? "");
    return `| \`${name}\` | ${permissionFacts(name).lets} | ${cells.join(" | ")} |`;
  });
  const needs = all
    .toSorted((a, b) => (a.path + a.method < b.path + b.method ? -1 : 1))
    .map(
      ({ method, path, permission }) => `| \`${method} ${path}\` | ${permission === null ? "" : `\`${permission}\``} |`,
    );
  return `# Permissions

Made from the tables in \`packages/core/src/domain/permissions.ts\` and \`roles.ts\` and from the routes themselves; a test
keeps this page equal to them, and walks every route with every role.

## Who may do what

\`everywhere\` is all of the organization; \`mailboxes\` what is in the mailboxes that a user may see: all those that do not
keep to their members, and those that have the user, or one of the user's teams, among their members. A role of your own is
a set of these permissions, each with its scope: those two, \`teams\` (what is assigned to one's teams or oneself, in those
mailboxes) or \`own\` (what is assigned to oneself). A customer is within reach where one of their conversations is, where
they are assigned to the user or the user's teams, and, for who sees all of a mailbox, as long as they have written nowhere.

What is out of reach is answered as what does not exist. An assistant never has what is for people, whatever its role says.
Nobody can give rights, or access to a mailbox, that they do not have. A workflow acts with the present rights of whoever
published it, and is changed and published by who has the right in every mailbox that it is for. A token has the rights of
its user, or the part of them that its scopes name.

| permission | lets one | ${shown} |
|---|---|${roles.map(() => "---").join("|")}|
${rows.join("\n")}

For people only: ${permissions
    .filter((name) => permissionFacts(name).people === true)
    .map((name) => `\`${name}\``)
    .join(", ")}.

## What each route asks for

| route below \`/api/v2\` | permission |
|---|---|
${needs.join("\n")}
`;
}
