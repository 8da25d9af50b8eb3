import { apply, type Customer, loggedTables, rowDefaults, type Row } from "@threadmill/core";
import { addressRows, loadRows, standsFor } from "@threadmill/core/testing";
import type { Pool } from "pg";
import { maintain } from "../db/maintenance.ts";
import { openPool } from "../db/pool.ts";
import { readServerVersion } from "../db/server-version.ts";
import { createOrganization, type CreatedOrganization, type NewOrganization } from "../features/organization/create.ts";
import { createMetrics } from "../observe/metrics.ts";
import { manualClock } from "../process/clock.ts";
import { createTestDatabase } from "../testing/test-database.ts";
import { createEngine, type Engine, type EngineOptions, type Submission } from "./engine.ts";
import { freshId } from "./fresh-id.ts";
import { readEvents } from "./log-format.ts";
import type { Place, Submitted } from "./port.ts";

/** An engine of a test with pools of its own, as another process would have. */
export interface TestEngine extends Engine {
  /** what went wrong in batches, by what the lane made of it */
  readonly faults: { readonly what: string; readonly error: unknown }[];
  readonly warnings: object[];
  readonly pool: Pool;
  readonly waiters: Pool;
  readonly background: Pool;
  /** Asks once for what is due, and waits until all of it is carried. */
  tick(): Promise<void>;
}

export interface Home extends CreatedOrganization {
  readonly place: Place;
}

/** A database of a test file's own with everything that lanes need. */
export interface TestLanes {
  readonly url: string;
  readonly pool: Pool;
  engine(options?: Partial<EngineOptions> & { readonly url?: string }): TestEngine;
  organization(wanted?: Partial<NewOrganization>): Promise<Home>;
  /** Publishes a workflow document as it is; answers its ids. */
  publish(
    home: Home,
    document: Record<string, unknown>,
  ): Promise<{ readonly workflow: string; readonly version: string }>;
  /** Lets a day pass for runs that wait: the database's clock is not ours to move. */
  overdue(lane: number): Promise<void>;
  rows<T = Record<string, unknown>>(text: string, values?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

export async function testLanes(): Promise<TestLanes> {
  const database = await createTestDatabase();
  const pool = openPool({ url: database.url, max: 6 });
  await maintain(pool, { eventsDays: 400, runsDays: 30 }, new Date().toISOString());
  const limits = await readServerVersion(pool);
  const engines: TestEngine[] = [];
  return {
    url: database.url,
    pool,
    engine({ url = database.url, ...options } = {}) {
      const engine = testEngine(url, { limits, ...options });
      engines.push(engine);
      return engine;
    },
    async organization(wanted = {}) {
      const made = await createOrganization(pool, { name: "Test", ...wanted });
      return { ...made, place: { lane: made.lane, organization: made.id } };
    },
    async publish({ place: { lane, organization }, owner }, document) {
      const [workflow, version] = [freshId(), freshId()];
      await pool.query(
        "insert into workflows (lane, organization, id, slug, name, enabled, draft, published) values ($1, $2, $3, $4, 'Test', true, $5, $6)",
        [lane, organization, workflow, `w-${workflow}`, document, version],
      );
      await pool.query(
        `insert into workflow_versions (lane, organization, id, workflow, number, document, hash, publisher, published_at)
values ($1, $2, $3, $4, 1, $5, 'x', $6, now() - interval '1 day')`,
        [lane, organization, version, workflow, { name: "Test", kind: "automatic", ...document }, owner],
      );
      await pool.query("update workflow_versions set due_from = published_at where id = $1", [version]);
      await pool.query(
        "update organizations set config_version = config_version + 1 where lane = $1 and organization = $2",
        [lane, organization],
      );
      return { workflow, version };
    },
    async overdue(lane) {
      await pool.query("update timers set due_at = due_at - interval '1 day' where lane = $1", [lane]);
      await pool.query(
        `update runs r set waiting = r.waiting || jsonb_build_object('due_at', to_char(t.due_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
from timers t where t.lane = $1 and (r.lane, r.organization, r.id) = (t.lane, t.organization, t.run)`,
        [lane],
      );
    },
    rows: async <T>(text: string, values: unknown[] = []) => (await pool.query(text, values)).rows as T[],
    async close() {
      await Promise.all(engines.map((engine) => engine.stop()));
      await Promise.all(
        engines.flatMap((engine) => [engine.pool.end(), engine.waiters.end(), engine.background.end()]),
      );
      await pool.end();
      await database.drop();
    },
  };
}

function testEngine(url: string, options: Partial<EngineOptions>): TestEngine {
  const open = (max: number, pipeline: boolean): Pool =>
    openPool({ url, max, pipeline, connectTimeoutMs: 5000, applicationName: "lanes under test" });
  const pools = { pool: open(8, true), waiters: open(2, true), background: open(2, false) };
  const faults: TestEngine["faults"] = [];
  const warnings: object[] = [];
  const clock = manualClock("2026-01-01T00:00:00.000Z");
  const log = {
    warn: (fields: object) => warnings.push(fields),
    error: (fields: object, message: string) => {
      const { what, err } = fields as { what?: string; err?: unknown };
      faults.push({ what: what ?? message, error: err ?? fields });
    },
  };
  const engine = createEngine({ ...pools, metrics: createMetrics(), clock, log, ...options });
  const stop = async (): Promise<void> => engine.stop();
  return {
    ...engine,
    stop,
    faults,
    warnings,
    ...pools,
    async tick() {
      const once = new AbortController();
      const running = engine.poller.run(once.signal);
      await clock.whenSleeping();
      once.abort();
      await running;
      await engine.quiet();
    },
  };
}

/** A message that comes in by SMS. */
export const incoming = (
  home: Home,
  from: string,
  text: string,
  more: Partial<Submission> & { readonly input?: object } = {},
): Submission => ({
  place: home.place,
  type: "message.receive",
  actor: { kind: "channel", id: home.channels.sms },
  ...more,
  input: { channel: home.channels.sms, from, text, ...more.input },
});

/** A command of the organization's owner. */
export const command = (home: Home, type: string, input: object, more: Partial<Submission> = {}): Submission => ({
  place: home.place,
  type,
  input,
  actor: { kind: "user", id: home.owner },
  ...more,
});

/** The result of a command that must have been accepted. */
export function resultOf({ answer }: Submitted): Record<string, string> {
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer.result as Record<string, string>;
}

export const phone = (n: number): string => `+1415${String(2_000_000 + n)}`;

/** What of DESIGN section 11 does not hold in a database; nothing when all is well. */
export async function brokenInvariants(pool: Pool): Promise<string[]> {
  const broken: string[] = [];
  const ask = async <T>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await pool.query(text, values)).rows as T[];
  const { rows: organizations } = await pool.query<{ lane: number; id: string }>(
    "select lane, id from directory_organizations order by id",
  );
  for (const lane of new Set(organizations.map((each) => each.lane))) {
    const log = await ask<{ seq: number; count: number; events: unknown[] }>(
      "select seq, count, events from log where lane = $1 order by seq",
      [lane],
    );
    let next = 1;
    for (const row of log) {
      if (row.seq !== next) broken.push(`lane ${lane}: ${row.seq} follows ${next - 1}`);
      if (row.count !== row.events.length)
        broken.push(`lane ${lane}: row ${row.seq} says ${row.count}, holds ${row.events.length}`);
      next = row.seq + row.count;
    }
  }
  for (const { lane, id } of organizations) broken.push(...(await brokenOf(ask, lane, id)));
  const doubled: readonly [string, string][] = [
    ["receipts", "select id from receipts group by lane, organization, id having count(*) > 1"],
    ["keys", "select key from receipts where key is not null group by lane, organization, key having count(*) > 1"],
    [
      "provider ids",
      "select provider_id from messages where provider_id is not null and direction = 'inbound' group by lane, organization, channel, provider_id having count(*) > 1",
    ],
    ["runs, live and in the history", "select id from runs r join runs_history h using (lane, organization, id)"],
    ["finished runs", "select id from runs_history group by lane, organization, id having count(*) > 1"],
    ["final runs among the live ones", "select id from runs where status not in ('queued', 'waiting')"],
    ["live runs in the history", "select id from runs_history where status in ('queued', 'waiting')"],
    [
      "lost runs",
      `select id from runs r where not exists (select from timers t where (t.lane, t.organization, t.run) = (r.lane, r.organization, r.id))
and not exists (select from effects e where (e.lane, e.organization, e.id::text) = (r.lane, r.organization, r.waiting ->> 'effect'))
and not exists (select from leftovers l where (l.lane, l.organization) = (r.lane, r.organization) and l.body -> 'queue' ? r.id::text)
and (r.status = 'queued' or r.waiting ->> 'unless' is null)`,
    ],
    [
      "timers without their run",
      "select run from timers t where not exists (select from runs r where (r.lane, r.organization, r.id) = (t.lane, t.organization, t.run) and r.status = 'waiting')",
    ],
    [
      "runs that wait for what was merged",
      `select r.id from runs r join (select lane, organization, id, merged_into from conversations union all select lane, organization, id, merged_into from customers) s
on (s.lane, s.organization, s.id) = (r.lane, r.organization, r.subject) where s.merged_into is not null`,
    ],
    [
      // those of the erased are blank
      "messages on a channel that their conversation does not hold",
      `with recursive family(lane, organization, id, root) as (
  select lane, organization, id, id from conversations where merged_into is null
  union all
  select c.lane, c.organization, c.id, f.root from conversations c
  join family f on (f.lane, f.organization, f.id) = (c.lane, c.organization, c.merged_into))
select m.id from messages m
join family f on (f.lane, f.organization, f.id) = (m.lane, m.organization, m.conversation)
join conversations c on (c.lane, c.organization, c.id) = (f.lane, f.organization, f.root)
where m.direction <> 'note' and c.channel <> m.channel and not c.other_channels ? m.channel::text and c.address <> ''`,
    ],
    [
      "snoozes without a wake",
      "select id from conversations where status = 'snoozed' and merged_into is null and (wake_at is null or wake_at > snoozed_until)",
    ],
  ];
  for (const [name, text] of doubled) {
    const found = await ask(text);
    if (found.length > 0) broken.push(`${name}: ${JSON.stringify(found.slice(0, 3))} (${found.length})`);
  }
  return broken;
}

type Ask = <T>(text: string, values?: unknown[]) => Promise<T[]>;

async function brokenOf(ask: Ask, lane: number, organization: string): Promise<string[]> {
  const broken: string[] = [];
  const place = [lane, organization];
  const differ = (what: string, got: unknown, want: unknown): void => {
    if (JSON.stringify(sorted(got)) !== JSON.stringify(sorted(want)))
      broken.push(`${organization}: ${what}: ${JSON.stringify(got)} is to be ${JSON.stringify(want)}`);
  };
  const folded = new Map<string, Row>();
  const ids = new Set<string>();
  const log = await ask<Parameters<typeof readEvents>[0]>(
    "select seq, at, root, events from log where lane = $1 and organization = $2 order by seq",
    place,
  );
  for (const event of log.flatMap((row) => readEvents(row))) {
    if (ids.has(event.id)) broken.push(`the event ${event.id} stands twice`);
    ids.add(event.id);
    apply(event, folded);
  }
  const stored = new Map<string, Record<string, unknown>>();
  for (const table of loggedTables) {
    const rows = await ask<Record<string, unknown>>(
      `select * from ${table} where lane = $1 and organization = $2`,
      place,
    );
    for (const row of rows) stored.set(`${table}/${String(row["id"])}`, row);
  }
  differ("rows", [...stored.keys()].sort(), [...folded.keys()].sort());
  const kept = new Set(["wake_at", "fired", "guards"]);
  for (const [name, want] of folded) {
    const got = stored.get(name);
    if (got === undefined) continue;
    const fields = new Set([
      ...Object.keys(want),
      ...Object.keys(rowDefaults[name.slice(0, name.indexOf("/")) as "customers"]),
    ]);
    for (const field of fields)
      if (!kept.has(field)) differ(`${name}.${field}`, got[field] ?? null, want[field] ?? null);
  }
  const loads = await ask<{ user_id: string; open: number }>(
    "select user_id, open from loads where lane = $1 and organization = $2 and open <> 0",
    place,
  );
  differ(
    "loads",
    Object.fromEntries(loads.map((row) => [`loads/${row.user_id}`, row])),
    Object.fromEntries(loadRows(stored)),
  );
  const addresses = await ask<{ address: string; customer: string }>(
    "select address, customer from addresses where lane = $1 and organization = $2",
    place,
  );
  differ(
    "addresses",
    Object.fromEntries(addresses.map((row) => [`addresses/${row.address}`, { customer: row.customer }])),
    Object.fromEntries(addressRows(stored)),
  );
  for (const [name, row] of stored) {
    if (!name.startsWith("customers/")) continue;
    const customer = row as unknown as Customer;
    const own = [...stored]
      .filter(
        ([key, each]) =>
          key.startsWith("conversations/") && standsFor(stored, each["customer"] as string) === customer.id,
      )
      .map(([, each]) => each);
    const open = own.filter((each) => ["open", "pending", "snoozed"].includes(each["status"] as string));
    differ(
      `${name} counts`,
      [customer.open_conversations, customer.unreplied_conversations],
      [open.length, open.filter((each) => each["waiting_since"] !== null).length],
    );
  }
  return broken;
}

/** The same JSON with its fields in one order: a table has its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}
