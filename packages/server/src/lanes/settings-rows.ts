import type { Settings } from "@threadmill/core";
import type { ClientBase } from "pg";

/** The nouns of the settings that are rows of their own, and where they stand. */
const tables = {
  users: "user",
  roles: "role",
  teams: "team",
  mailboxes: "mailbox",
  channels: "channel",
  calendars: "calendar",
  properties: "property",
} as const;
type SettingsTable = keyof typeof tables;

/** A row that changed, before and after; before is null where it is new. */
export interface ChangedRow {
  readonly noun: string;
  readonly before: object | null;
  readonly after: object;
}

/** An organization's settings, and what of them is not as it was known before. */
export interface SettingsRead {
  readonly settings: Settings;
  readonly changed: readonly ChangedRow[];
}

interface SettingsRow {
  readonly id: string;
}

/**
 * Reads an organization's settings as they stand in this transaction. With `known`, only what changed since is read, and
 * lists in which nothing did stay the same lists. Null when there is no such organization.
 */
export async function readSettings(
  client: ClientBase,
  lane: number,
  organization: string,
  known: Settings | null = null,
): Promise<SettingsRead | null> {
  const own = (
    await client.query("select * from organizations where lane = $1 and organization = $2", [lane, organization])
  ).rows[0];
  if (own === undefined) return null;
  const changed: ChangedRow[] = [];
  const lists: Partial<Record<SettingsTable, readonly SettingsRow[]>> = {};
  for (const table of Object.keys(tables) as SettingsTable[]) {
    const { rows } = await client.query<SettingsRow>(
      `select * from ${table} where lane = $1 and organization = $2 and changed_in > $3 order by id`,
      [lane, organization, known?.version ?? -1],
    );
    const before = (known?.[table] ?? []) as readonly SettingsRow[];
    lists[table] = merge(before, rows);
    if (known === null) continue;
    for (const after of rows)
      changed.push({ noun: tables[table], before: before.find((row) => row.id === after.id) ?? null, after });
  }
  const settings = {
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
    ...lists,
  } as unknown as Settings;
  return { settings, changed };
}

/** Rows with others in place of those of the same ids, by id. */
function merge(rows: readonly SettingsRow[], changed: readonly SettingsRow[]): readonly SettingsRow[] {
  if (changed.length === 0) return rows;
  if (rows.length === 0) return changed;
  const all = new Map([...rows, ...changed].map((row) => [row.id, row]));
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
