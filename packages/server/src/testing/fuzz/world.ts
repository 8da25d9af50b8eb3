import { createOrganization } from "../../features/organization/create.ts";
import { signIn } from "../sign-in.ts";
import type { TestApi } from "../test-api.ts";
import { testToken } from "../test-api.ts";

/** One of the organizations that the cases are about. */
export interface Side {
  readonly organization: string;
  readonly token: string;
  /** stands in names and texts of its rows: an answer to anybody else must not hold it */
  readonly mark: string;
}

/** What cases are drawn from: ids, names and cursors of two organizations that live beside each other in one lane. */
export interface World {
  readonly own: Side;
  readonly others: Side;
  /** the token of somebody in our organization who may do less */
  readonly agentToken: string;
  /** what a browser sends of somebody of ours who has signed in */
  readonly session: Readonly<Record<string, string>>;
  /** Chooses an id: mostly one of ours of the noun, else another's, one of nothing, or none at all. */
  id(noun: string, n: number, luck: number): string;
  name(n: number): string;
  /** Chooses a path that conditions can name. */
  field(n: number): string;
  /** Chooses a cursor of any list, as it was written or forged. */
  cursor(n: number, luck: number): string;
  /** Keeps a cursor that a list gave. */
  keepCursor(cursor: string): void;
  /** Whether an id belongs to the other organization. */
  isForeign(id: string): boolean;
  /** Whether a case may have named an id of the other organization, so that it can come back as it was said. */
  isShown(id: string): boolean;
  /** Reads anew which rows there are. */
  look(): Promise<void>;
}

const mostIds = 60;
const shownForeign = 3;

/** Makes the two organizations, each with something of everything, and reads what there is. */
export async function makeWorld(api: TestApi): Promise<World> {
  const { pool } = api.server.database;
  const { organization } = (await api.call("GET", "/me")).json as { organization: { id: string } };
  const { rows } = await pool.query<{ lane: number }>("select lane from directory_organizations where id = $1", [
    organization.id,
  ]);
  const strangers = await createOrganization(pool, { name: "Strangers", lane: rows[0]?.lane ?? 1 });
  const own: Side = { organization: organization.id, token: testToken, mark: "ourmark" };
  const others: Side = { organization: strangers.id, token: strangers.token, mark: "theirmark" };
  for (const side of [own, others]) await people(api, side);
  const agent = await api.call("POST", "/users", {
    body: { name: "Agent", email: "agent@example.com", role: "agent" },
  });
  const agentToken = await api.call("POST", "/tokens", { body: { name: "Agent", user: agent.json.id } });
  let person = await signIn(api, "admin");
  /** what the cases call by; nothing may happen to it */
  const spared = new Set<string>([
    agent.json.id as string,
    person.user,
    person.session,
    ...(
      await pool.query<{ id: string }>("select id from directory_tokens union all select user_id from directory_tokens")
    ).rows.map((row) => row.id),
  ]);
  const fields = fieldsIn((await api.call("GET", "/attributes")).json);

  let ours = new Map<string, string[]>();
  let theirs = new Map<string, string[]>();
  const foreign = new Set<string>();
  const shown = new Set<string>([others.organization]);
  const cursors: string[] = ["x"];
  const any = (from: ReadonlyMap<string, readonly string[]>, n: number): string => {
    const all = [...from.values()].flat();
    return all[n % Math.max(1, all.length)] ?? nothing;
  };
  const ofNoun = (from: ReadonlyMap<string, readonly string[]>, noun: string, n: number): string => {
    const found = from.get(aliases[noun] ?? noun);
    return found === undefined || found.length === 0 ? any(from, n) : (found[n % found.length] ?? nothing);
  };
  const world: World = {
    own,
    others,
    agentToken: (agentToken.json as { token: string }).token,
    get session() {
      return person.headers;
    },
    id(noun, n, luck) {
      if (luck < 76) return ofNoun(ours, noun, n);
      if (luck < 84) return any(ours, n);
      if (luck < 94) return ofNoun(theirs, noun, n);
      if (luck < 97) return nothing;
      return ofNoun(ours, noun, n)
        .toUpperCase()
        .slice(0, 30 + (n % 7));
    },
    name: (n) => names[n % names.length] as string,
    field: (n) => fields[n % fields.length] as string,
    cursor(n, luck) {
      const cursor = cursors[n % cursors.length] as string;
      if (luck < 75) return cursor;
      if (luck < 88) return cursor.slice(0, n % (cursor.length + 1));
      return cursor.slice(0, -6) + String.fromCharCode(65 + (n % 26)) + cursor.slice(-5);
    },
    keepCursor(cursor) {
      if (cursors.length < 400) cursors.push(cursor);
      else cursors[(cursor.charCodeAt(cursor.length >> 1) * 3) % 400] = cursor;
    },
    isForeign: (id) => foreign.has(id),
    isShown: (id) => shown.has(id),
    async look() {
      // a case may have signed out
      const session = await pool.query("select from directory_sessions where id = $1", [person.session]);
      if (session.rows.length === 0) {
        person = await signIn(api, "admin");
        spared.add(person.user).add(person.session);
      }
      const all = await idsByNoun(pool, [own.organization, others.organization]);
      ours = new Map();
      theirs = new Map();
      foreign.clear();
      for (const { noun, ids, organization: whose } of all) {
        if (whose === own.organization) ours.set(noun, ids.filter((id) => !spared.has(id)).slice(0, mostIds));
        else {
          // most of what is theirs is never named by us: it can then have come from nowhere but a leak
          theirs.set(noun, ids.slice(-shownForeign));
          for (const id of ids.slice(-shownForeign)) shown.add(id);
          for (const id of ids) foreign.add(id);
        }
      }
    },
  };
  await world.look();
  return world;
}

const nothing = "01890000-0000-7000-8000-0000000000ff";

/** Names under which routes know what a table calls otherwise. */
const aliases: Readonly<Record<string, string>> = {
  assignee: "user",
  members: "user",
  lead: "user",
  mentions: "user",
  reply: "saved_reply",
  version: "workflow_version",
  run: "runs_history",
  job: "directory_job",
  import: "job_file",
  token: "directory_token",
};

const names = ["plan", "p_text", "p_number", "p_date", "inbox", "sms", "api", "Team", "vip", "W", "Ünïcode", "x"];

/** Every id of every table, newest first, by what the table is called in the singular. */
async function idsByNoun(
  pool: TestApi["server"]["database"]["pool"],
  organizations: readonly string[],
): Promise<{ readonly noun: string; readonly organization: string; readonly ids: string[] }[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_class c
join pg_attribute i on i.attrelid = c.oid and i.attname = 'id' and i.atttypid = 'uuid'::regtype
join pg_attribute o on o.attrelid = c.oid and o.attname = 'organization'
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace order by 1`,
  );
  const parts = tables.map(
    ({ name }) =>
      `select '${name}' as name, organization, array_agg(id::text order by id desc) as ids from ${name} where organization = any ($1::uuid[]) group by organization`,
  );
  const { rows } = await pool.query<{ name: string; organization: string; ids: string[] }>(
    parts.join("\nunion all\n"),
    [organizations],
  );
  return rows.map(({ name, organization, ids }) => ({ noun: singular(name), organization, ids }));
}

const singular = (table: string): string =>
  table
    .replace(/ies$/, "y")
    .replace(/(x)es$/, "$1")
    .replace(/([^s])s$/, "$1");

/** Paths in what the server says that conditions can name. */
function fieldsIn(json: unknown): string[] {
  const found = new Set<string>(["customer.city", "conversation.status", "message.text", "customer.properties.plan"]);
  const walk = (value: unknown): void => {
    if (typeof value === "string" && /^[a-z_]+(\.[a-z_]+)+$/.test(value)) found.add(value);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(walk);
  };
  walk(json);
  return [...found];
}

/** Something of everything, through the API. */
async function people(api: TestApi, { token, mark }: Side): Promise<void> {
  const make = async (
    path: string,
    body: object,
  ): Promise<Record<string, string> & { result: Record<string, string> }> => {
    const answer = await api.call("POST", path, { token, body });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
    return answer.json as never;
  };
  for (const type of ["text", "number", "date"])
    await make("/properties", { noun: "customer", name: `p_${type}`, type });
  await make("/properties", { noun: "conversation", name: "plan", type: "text" });
  for (let n = 0; n < 5; n += 1) {
    const name = `${mark} ${n}`;
    const { id: user } = await make("/users", { name, email: `${mark}-${n}@example.com`, role: "agent" });
    await make("/tokens", { name, user });
    await make("/teams", { name, members: [user] });
    const { id: mailbox } = await make("/mailboxes", { name });
    await make("/channels", { name, kind: "api", mailbox });
    await make("/calendars", { name, calendar: { zone: "UTC", hours: {}, holidays: [] } });
    await make("/segments", { name, filter: { field: "customer.city", op: "is", value: mark } });
    await make("/saved-replies", { name, text: mark });
    await make("/folders", { name, filter: { field: "conversation.status", op: "is", value: "open" }, shared: true });
    const { result } = await make("/channels/api/messages", { from: `${mark}-${n}`, text: mark });
    await make(`/conversations/${result["conversation"]}/notes`, { text: mark });
    await make(`/customers/${result["customer"]}/notes`, { text: mark });
    await make("/workflows?publish=true", {
      name,
      kind: n % 2 === 0 ? "automatic" : "manual",
      ...(n % 2 === 0 && { triggers: [{ event: "conversation.closed" }] }),
      start: "tag",
      steps: { tag: { action: "conversation.add_tags", input: { tags: [mark] } } },
    });
    const { id: job } = await make("/jobs", {
      kind: "conversations.change",
      parameters: { selection: { ids: [result["conversation"]] }, command: "conversation.close", input: {} },
    });
    if (job === undefined) throw new Error("no job");
  }
}
