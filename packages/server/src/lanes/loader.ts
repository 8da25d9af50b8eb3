import { type Event, key, type Key, type Leftover, type Output, splitKey, type World } from "@threadmill/core";
import type { PoolClient } from "pg";
import { loadEvents } from "./event-loader.ts";
import { loadRepliers } from "./replier-loader.ts";
import { columnsOf } from "./statements.ts";
import type { Place } from "./port.ts";
import { type WorldTable, type WorldTableName, worldTables } from "./tables.ts";

/** The working set of one organization in a batch: what was loaded, by key; null is known to be absent. */
export class LoadedWorld implements World {
  readonly lane: number;
  readonly organization: string;
  readonly rows = new Map<Key, unknown>();
  readonly #made = new Set<string>();
  readonly #told: (readonly Event[])[] = [];
  /** what an earlier batch's slice cut, or this one's */
  leftover: Leftover | null;

  constructor({ lane, organization }: Place, leftover: Leftover | null = null) {
    this.lane = lane;
    this.organization = organization;
    this.leftover = leftover;
  }

  get(name: Key): unknown {
    return this.rows.get(name);
  }

  made(id: string): boolean {
    return this.#made.has(id);
  }

  /** An event that the mill left in this batch: the log may not have it yet. */
  told(id: string): Event | undefined {
    return this.#told.flatMap((events) => events.filter((event) => event.id === id))[0];
  }

  /** Goes on from what the mill decided (MILL law 1: splitting changes nothing). */
  advance({ after, events, leftover }: Pick<Output, "after" | "events" | "leftover">): void {
    this.#told.push(events);
    for (const [name, row] of after.rows) this.rows.set(name, row);
    for (const id of after.made) this.#made.add(id);
    this.leftover = leftover;
  }
}

/** Keys of one kind that worlds lack, each without its table. */
export type Wanted = readonly { readonly world: LoadedWorld; readonly rest: string }[];
type Row = Record<string, unknown> & { readonly organization: string };

/**
 * Loads keys that a world lacks, with the bundles that belong to them, in set-based reads (MILL law 4): all that is known to be
 * wanted in one go, then what these rows lead to. A message of someone known takes three goes, of someone new one.
 */
export async function load(client: PoolClient, wanted: ReadonlyMap<LoadedWorld, Iterable<Key>>): Promise<void> {
  const todo = new Todo();
  for (const [world, keys] of wanted) for (const name of keys) todo.add(world, name);
  while (!todo.empty) {
    todo.begin();
    await Promise.all([
      loadSenders(client, todo),
      loadProviders(client, todo),
      loadReceipts(client, todo),
      loadEvents(client, todo.take("event")),
      loadOpen(client, todo),
      loadLatest(client, todo),
      loadWaiting(client, todo),
      loadRepliers(client, todo.take("replier")),
      ...byId.map((name) => loadById(client, todo, name)),
    ]);
  }
}

/** Tables whose rows are found by their ids. */
const byId = [
  "messages",
  "notes",
  "runs",
  "effects",
  "addresses",
  "timers",
  "parked",
  "conversations",
  "customers",
  "loads",
  "presences",
  "turns",
] as const satisfies readonly WorldTableName[];

/** What is still to be loaded, by table or view. Adding a row adds the bundle that comes with it. */
class Todo {
  /** tables of which something was wanted when the round began, and that nobody has taken since */
  #passed = new Set<string>();
  readonly #wanted = new Map<string, Map<string, { readonly world: LoadedWorld; readonly rest: string }>>();

  add(world: LoadedWorld, name: Key): void {
    if (world.rows.has(name)) return;
    const { table, rest } = splitKey(name);
    let entries = this.#wanted.get(table);
    if (entries === undefined) this.#wanted.set(table, (entries = new Map()));
    entries.set(`${world.organization}/${rest}`, { world, rest });
  }

  get empty(): boolean {
    return this.#wanted.size === 0;
  }

  /** A round begins. What no loader took in the one before never will be. */
  begin(): void {
    for (const table of this.#passed) if (this.#wanted.has(table)) throw new Error(`nothing loads ${table}`);
    this.#passed = new Set(this.#wanted.keys());
  }

  /** What is wanted of a table and did not come meanwhile with something else. */
  take(table: string): Wanted {
    const entries = this.#wanted.get(table);
    this.#wanted.delete(table);
    this.#passed.delete(table);
    if (entries === undefined) return [];
    return [...entries.values()].filter(({ world, rest }) => !world.rows.has(`${table}/${rest}`));
  }

  /** Puts a row (null: absent) into its world and asks for what belongs to it. */
  put(world: LoadedWorld, table: string, rest: string, row: Record<string, unknown> | null): void {
    world.rows.set(`${table}/${rest}`, row);
    if (row === null) return;
    const want = (name: Key): void => this.add(world, name);
    const id = (field: string): string | null => (row[field] as string | null) ?? null;
    if (table === "conversations") {
      const customer = id("customer") as string;
      want(key.customer(customer));
      want(key.waiting(rest));
      // comes with the customer anyway: asked for together, it saves a round
      want(key.waiting(customer));
      const assignee = id("assignee");
      if (assignee !== null) want(key.load(assignee));
      const into = id("merged_into");
      if (into !== null) want(key.conversation(into));
    } else if (table === "customers") {
      want(key.waiting(rest));
      const into = id("merged_into");
      if (into !== null) want(key.customer(into));
    } else if (table === "addresses") want(key.customer(id("customer") as string));
    else if (table === "notes") want(key.customer(id("customer") as string));
    else if (table === "messages") want(key.conversation(id("conversation") as string));
    else if (table === "effects") {
      const refs = row["refs"] as { readonly message?: string };
      if (refs.message !== undefined) want(key.message(refs.message));
      const run = id("run");
      if (run !== null) want(key.run(run));
    } else if (table === "runs") {
      const conversation = id("conversation");
      const customer = id("customer");
      want(key.timer(rest));
      want(key.waiting(id("subject") as string));
      const hears = id("hears");
      if (hears !== null) want(key.waiting(hears));
      if (conversation !== null) want(key.conversation(conversation));
      else if (customer !== null) want(key.customer(customer));
    }
  }
}

/** Where what is wanted is: the first two arrays that a statement takes. */
const placesOf = (wanted: readonly Pick<Wanted[number], "world">[]): [number[], string[]] => [
  wanted.map((w) => w.world.lane),
  wanted.map((w) => w.world.organization),
];
const arrays = (wanted: Wanted): [number[], string[], string[]] => [...placesOf(wanted), wanted.map((w) => w.rest)];

async function select(client: PoolClient, name: string, text: string, values: unknown[]): Promise<Row[]> {
  return (await client.query<Row>({ name, text, values })).rows;
}

const partsOf = (row: Row, names: readonly string[]): string => names.map((name) => String(row[name])).join("/");

/** Rows by what names them. */
const byParts = (rows: readonly Row[], ...names: string[]): Map<string, Row> =>
  new Map(rows.map((row) => [partsOf(row, names), row]));

/** Rows of a table by id; those that are not found are put as absent. */
async function loadById(client: PoolClient, todo: Todo, name: Exclude<WorldTableName, "runs_history">): Promise<void> {
  const wanted = todo.take(name);
  if (wanted.length === 0) return;
  const table: WorldTable = worldTables[name];
  const type = (table.columns as Record<string, string>)[table.id];
  const rows = await select(
    client,
    `load_${name}`,
    `select t.organization, ${columnsOf(table, "t")} from unnest($1::smallint[], $2::uuid[], $3::${type}[]) as k(lane, organization, id)
join ${table.name} t on t.lane = k.lane and t.organization = k.organization and t."${table.id}" = k.id`,
    arrays(wanted),
  );
  const found = byParts(rows, "organization", table.id);
  for (const { world, rest } of wanted) {
    const row = found.get(`${world.organization}/${rest}`);
    todo.put(world, name, rest, row === undefined ? null : withoutOrganization(row));
  }
}

function withoutOrganization(row: Row): Record<string, unknown> {
  const { organization: _, ...rest } = row;
  return rest;
}

/** Whether a conversation `n` holds messages of the channel asked for: as its own, or as another. */
const holds = "(n.channel = k.channel or n.other_channels ? k.channel::text)";

/** Who has an address, with their latest conversation on the channel that the message came by. */
async function loadSenders(client: PoolClient, todo: Todo): Promise<void> {
  const wanted = todo.take("sender");
  if (wanted.length === 0) return;
  const parts = wanted.map(({ world, rest }) => ({ world, channel: rest.slice(0, 36), address: rest.slice(37) }));
  const rows = await select(
    client,
    "load_senders",
    `select a.organization, a.address, a.customer as owner, k.channel as by_channel,
  exists (select from customers m where m.lane = k.lane and m.organization = k.organization and m.merged_into = a.customer) as stands_for_more, c.*
from unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[]) as k(lane, organization, address, channel)
join addresses a on a.lane = k.lane and a.organization = k.organization and a.address = k.address
left join lateral (
  select ${columnsOf(worldTables.conversations, "n")} from conversations n
  where n.lane = k.lane and n.organization = k.organization and n.customer = a.customer and ${holds}
  order by n.id desc limit 1
) c on true`.replace("a.address, ", "a.address as known_as, "),
    [...placesOf(parts), parts.map((p) => p.address), parts.map((p) => p.channel)],
  );
  const found = byParts(rows, "organization", "by_channel", "known_as");
  for (const { world, channel, address } of parts) {
    const row = found.get(`${world.organization}/${channel}/${address}`);
    todo.put(world, "addresses", address, row === undefined ? null : { customer: row["owner"] });
    if (row === undefined) continue;
    const { organization: _o, known_as: _k, owner, by_channel: _b, stands_for_more, ...conversation } = row;
    const id = conversation["id"] as string | null;
    // the newest of a customer that others were merged into may be one of theirs: rare, so asked for only when needed
    if (stands_for_more === false) world.rows.set(key.latest(owner as string, channel), id === null ? null : { id });
    if (id !== null && !world.rows.has(key.conversation(id))) todo.put(world, "conversations", id, conversation);
  }
}

async function loadProviders(client: PoolClient, todo: Todo): Promise<void> {
  const wanted = todo.take("provider");
  if (wanted.length === 0) return;
  const parts = wanted.map(({ world, rest }) => ({ world, channel: rest.slice(0, 36), id: rest.slice(37), rest }));
  const rows = await select(
    client,
    "load_provider",
    `select m.organization, m.channel, m.provider_id, ${columnsOf(worldTables.messages, "m").replace('m."channel", ', "").replace('m."provider_id", ', "")}
from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[]) as k(lane, organization, channel, id)
join messages m on m.lane = k.lane and m.organization = k.organization and m.channel = k.channel and m.provider_id = k.id`,
    [...placesOf(parts), parts.map((p) => p.channel), parts.map((p) => p.id)],
  );
  const found = byParts(rows, "organization", "channel", "provider_id");
  for (const { world, rest } of parts) {
    const row = found.get(`${world.organization}/${rest}`);
    world.rows.set(`provider/${rest}`, row === undefined ? null : { id: row["id"] });
    if (row !== undefined) todo.put(world, "messages", row["id"] as string, withoutOrganization(row));
  }
}

/** The customers' conversations that are not closed, as lists, with their rows. */
async function loadOpen(client: PoolClient, todo: Todo): Promise<void> {
  const wanted = todo.take("open");
  if (wanted.length === 0) return;
  const rows = await select(
    client,
    "load_open",
    `${withMerged("unnest($1::smallint[], $2::uuid[], $3::uuid[])")}
select c.organization, s.owner, ${columnsOf(worldTables.conversations, "c")} from standing s
join conversations c on c.lane = s.lane and c.organization = s.organization and c.customer = s.customer
where c.status in ('open', 'pending', 'snoozed') order by c.id`,
    arrays(wanted),
  );
  putLists(todo, wanted, rows, "open", "owner", "conversations");
}

async function loadWaiting(client: PoolClient, todo: Todo): Promise<void> {
  const wanted = todo.take("waiting");
  if (wanted.length === 0) return;
  const rows = await select(
    client,
    "load_waiting",
    ["subject", "hears"]
      .map(
        (column) => `select r.organization, k.id as owner, ${columnsOf(worldTables.runs, "r")}
from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as k(lane, organization, id)
join runs r on r.lane = k.lane and r.organization = k.organization and r.${column} = k.id
where r.status = 'waiting'`,
      )
      .join(" union all ")
      .concat(" order by id"),
    arrays(wanted),
  );
  putLists(todo, wanted, rows, "waiting", "owner", "runs");
}

function putLists(todo: Todo, wanted: Wanted, rows: readonly Row[], view: string, owner: string, table: string): void {
  const lists = new Map<string, string[]>();
  for (const { world, rest } of wanted) {
    const list: string[] = [];
    lists.set(`${world.organization}/${rest}`, list);
    world.rows.set(`${view}/${rest}`, list);
  }
  const worlds = new Map(wanted.map(({ world }) => [world.organization, world]));
  for (const row of rows) {
    const world = worlds.get(row.organization) as LoadedWorld;
    const id = row["id"] as string;
    lists.get(partsOf(row, ["organization", owner]))?.push(id);
    if (world.rows.has(`${table}/${id}`)) continue;
    const { owner: _, ...own } = withoutOrganization(row);
    todo.put(world, table, id, own);
  }
}

/** Customers with all that were merged into them: a merge moves no rows, so their conversations stand under their own ids. */
const withMerged = (keys: string): string => `with recursive standing(lane, organization, owner, customer) as (
  select k.lane, k.organization, k.customer, k.customer from ${keys} as k(lane, organization, customer)
  union all
  select s.lane, s.organization, s.owner, m.id from standing s
  join customers m on m.lane = s.lane and m.organization = s.organization and m.merged_into = s.customer)`;

async function loadLatest(client: PoolClient, todo: Todo): Promise<void> {
  const wanted = todo.take("latest");
  if (wanted.length === 0) return;
  const parts = wanted.map(({ world, rest }) => ({
    world,
    customer: rest.slice(0, 36),
    channel: rest.slice(37),
    rest,
  }));
  const rows = await select(
    client,
    "load_latest",
    `${withMerged("(select distinct l, o, c from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as g(l, o, c))")}
select distinct on (k.organization, k.customer, k.channel)
  k.organization as place, k.customer as owner, k.channel as by_channel, c.*
from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::uuid[]) as k(lane, organization, customer, channel)
join standing s on s.organization = k.organization and s.owner = k.customer
join lateral (
  select ${columnsOf(worldTables.conversations, "n")} from conversations n
  where n.lane = k.lane and n.organization = k.organization and n.customer = s.customer and ${holds}
  order by n.id desc limit 1
) c on true
order by k.organization, k.customer, k.channel, c.id desc`,
    [...placesOf(parts), parts.map((p) => p.customer), parts.map((p) => p.channel)],
  );
  const found = byParts(rows, "place", "owner", "by_channel");
  for (const { world, rest } of parts) {
    const row = found.get(`${world.organization}/${rest}`);
    if (row === undefined) {
      world.rows.set(`latest/${rest}`, null);
      continue;
    }
    const { place: _p, owner: _o, by_channel: _b, ...conversation } = row as Record<string, unknown>;
    const id = conversation["id"] as string;
    world.rows.set(`latest/${rest}`, { id });
    if (!world.rows.has(key.conversation(id))) todo.put(world, "conversations", id, conversation);
  }
}

/** Receipts by the client's key; kept for a day or two, so the look-up touches few partitions. */
async function loadReceipts(client: PoolClient, todo: Todo): Promise<void> {
  const wanted = todo.take("receipt");
  if (wanted.length === 0) return;
  const rows = await select(
    client,
    "load_receipts",
    `select r.organization, r.key, r.fingerprint, r.id, r.answer, r.at from unnest($1::smallint[], $2::uuid[], $3::text[]) as k(lane, organization, key)
join receipts r on r.lane = k.lane and r.organization = k.organization and r.key = k.key`,
    arrays(wanted),
  );
  const found = byParts(rows, "organization", "key");
  for (const { world, rest } of wanted) {
    const row = found.get(`${world.organization}/${rest}`);
    world.rows.set(`receipt/${rest}`, row === undefined ? null : withoutOrganization(row));
  }
}
