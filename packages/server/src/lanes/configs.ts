import {
  activate,
  commands,
  type CompiledVersion,
  compileVersion,
  type Config,
  emptyScope,
  indexSettings,
  type Key,
  needsOf,
  prepare,
  type PublishedWorkflow,
  type Settings,
  type SettingsIndex,
  type StoredVersion,
} from "@threadmill/core";
import type { ClientBase } from "pg";

/** An organization's configuration as one process holds it: compiled once per `config_version`. */
export interface CachedConfig extends Config {
  readonly version: number;
  /** versions that waiting runs are pinned to, loaded as they are met; null: there is no such version */
  readonly older: Map<string, CompiledVersion | null>;
  /** what the workflows' steps will read whatever starts them, such as the load of a user they assign to */
  readonly standingNeeds: readonly Key[];
}

/** Something in the settings that does not compile any more; its workflow does not run, and the log says why. */
export interface BrokenWorkflow {
  readonly workflow: string;
  readonly version: string;
  readonly problems: readonly { readonly code: string; readonly path: string; readonly message: string }[];
}

interface PublishedRow {
  readonly id: string;
  readonly workflow: string;
  readonly slug: string;
  readonly position: number;
  readonly publisher: string;
  readonly due_from: string;
  readonly trigger_due_from: Readonly<Record<string, string>>;
  readonly document: unknown;
}

const storedVersion = (row: PublishedRow): StoredVersion => ({
  id: row.id,
  workflow: row.workflow,
  publisher: row.publisher,
  publishedAt: row.due_from,
  dueFrom: row.trigger_due_from,
  document: row.document,
});

/** Reads an organization's settings as they stand in this transaction. Null when there is no such organization. */
export async function readSettings(client: ClientBase, lane: number, organization: string): Promise<Settings | null> {
  const place = [lane, organization];
  const of = async <T>(table: string): Promise<T[]> =>
    (await client.query(`select * from ${table} where lane = $1 and organization = $2 order by id`, place)).rows as T[];
  const own = (await client.query("select * from organizations where lane = $1 and organization = $2", place)).rows[0];
  if (own === undefined) return null;
  return {
    version: own.config_version,
    organization: {
      id: organization,
      name: own.name,
      zone: own.zone,
      sandbox: own.sandbox,
      automation: own.automation,
      limits: own.limits,
      workflow_user: own.workflow_user,
    },
    users: await of("users"),
    teams: await of("teams"),
    mailboxes: await of("mailboxes"),
    channels: await of("channels"),
    calendars: await of("calendars"),
    properties: await of("properties"),
  };
}

/** Reads and compiles an organization's settings as they stand in this transaction. Null when there is no such organization. */
export async function loadConfig(
  client: ClientBase,
  lane: number,
  organization: string,
  onBroken: (broken: BrokenWorkflow) => void,
): Promise<CachedConfig | null> {
  const settings = await readSettings(client, lane, organization);
  if (settings === null) return null;
  const published = await client.query<PublishedRow>(
    `select v.id, v.workflow, w.slug, w.position, v.publisher, v.due_from, v.trigger_due_from, v.document
from workflows w join workflow_versions v on v.lane = w.lane and v.organization = w.organization and v.id = w.published
where w.lane = $1 and w.organization = $2 and w.enabled and w.archived_at is null`,
    [lane, organization],
  );
  const index = indexSettings(settings);
  const active: PublishedWorkflow[] = [];
  for (const row of published.rows) {
    const compiled = compileVersion({ ...storedVersion(row), settings: index });
    if (compiled.ok) active.push({ slug: row.slug, version: { ...compiled.version, order: row.position } });
    else onBroken({ workflow: row.workflow, version: row.id, problems: compiled.problems });
  }
  const older = new Map<string, CompiledVersion | null>();
  const workflows = activate(active, (id) => older.get(id) ?? null);
  const standingNeeds = standingNeedsOf(
    active.map((each) => each.version),
    index,
  );
  return { version: settings.version, settings: index, older, workflows, standingNeeds };
}

const nobody = "00000000-0000-7000-8000-000000000000";

/**
 * Keys that steps with written-down inputs read of anything but their target. Loading them with the first bundles saves
 * nearly every batch a second round through the mill.
 */
function standingNeedsOf(versions: readonly CompiledVersion[], settings: SettingsIndex): Key[] {
  const keys = new Set<Key>();
  for (const step of versions.flatMap((version) => [...version.steps.values()])) {
    if (step.kind !== "action" || !step.input.static) continue;
    const target = commands.get(step.action)?.target ?? null;
    const input = step.input.resolve(emptyScope) as object;
    const prepared = prepare(step.action, target === null ? input : { [target]: nobody, ...input }, settings);
    if (!prepared.ok) continue;
    const needs = needsOf({ type: step.action, actor: { kind: "system", id: null }, input: prepared.input }, settings);
    for (const name of needs) if (!name.includes(nobody)) keys.add(name);
  }
  return [...keys];
}

/** Loads the versions that waiting runs are pinned to and that are not the published ones. */
export async function loadVersions(
  client: ClientBase,
  lane: number,
  organization: string,
  config: CachedConfig,
  ids: readonly string[],
): Promise<void> {
  const rows = await client.query<PublishedRow>(
    `select v.id, v.workflow, w.slug, w.position, v.publisher, v.due_from, v.trigger_due_from, v.document
from workflow_versions v join workflows w on w.lane = v.lane and w.organization = v.organization and w.id = v.workflow
where v.lane = $1 and v.organization = $2 and v.id = any($3)`,
    [lane, organization, ids],
  );
  for (const id of ids) config.older.set(id, null);
  for (const row of rows.rows) {
    const compiled = compileVersion({ ...storedVersion(row), settings: config.settings });
    if (compiled.ok) config.older.set(row.id, compiled.version);
  }
}
