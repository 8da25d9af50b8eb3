import {
  compileHead,
  type Config,
  indexSettings,
  type Key,
  namesOfRow,
  type SettingsIndex,
  type StoredHead,
  Surroundings,
  UnreadableVersion,
  type VersionHead,
  type WorkflowDocument,
  Workflows,
} from "@threadmill/core";
import type { ClientBase } from "pg";
import { Bodies, type BrokenWorkflow } from "./bodies.ts";
import type { Place } from "./port.ts";
import { readSettings, type SettingsRead } from "./settings-rows.ts";

export type { BrokenWorkflow } from "./bodies.ts";

type OnBroken = (broken: BrokenWorkflow) => void;

/**
 * An organization's configuration as one process holds it. A change of the settings is taken over row by row: what names
 * the changed thing is made again when it is next asked for, and all else stays. Only between batches.
 */
export class CachedConfig implements Config {
  readonly workflows: Workflows;
  readonly #bodies: Bodies;
  readonly #surroundings: Surroundings;

  constructor(settings: SettingsIndex) {
    this.#surroundings = new Surroundings(settings);
    this.#bodies = new Bodies(this.#surroundings);
    this.workflows = new Workflows((id) => this.#bodies.get(id));
  }

  get version(): number {
    return this.settings.version;
  }

  get settings(): SettingsIndex {
    return this.#surroundings.settings;
  }

  /** What the steps of its workflows will read whatever starts them. */
  get standingNeeds(): readonly Key[] {
    return this.#bodies.standingNeeds;
  }

  /** Takes over what changed since its version, or all there is. */
  take(read: SettingsRead, rows: readonly HeadRow[], onBroken: OnBroken): void {
    const names = read.changed.flatMap(({ noun, before, after }) =>
      [before, after].flatMap((row) => (row === null ? [] : namesOfRow(noun, row))),
    );
    this.#surroundings.change(indexSettings(read.settings), names);
    for (const row of rows) this.#takeWorkflow(row, onBroken);
    this.#bodies.trim();
  }

  /** Makes the steps of a version ready; a null document is that of a version which is not there. */
  putBody(id: string, document: WorkflowDocument | null, onBroken: OnBroken): void {
    this.#bodies.put(id, document, onBroken);
  }

  #takeWorkflow(row: HeadRow, onBroken: OnBroken): void {
    if (!row.runs) {
      this.workflows.remove(row.workflow);
      return;
    }
    const known = this.workflows.get(row.workflow);
    // an edit of the draft changes nothing that runs
    if (known !== null && known.slug === row.slug && isSame(known.version, row)) return;
    try {
      this.workflows.put({ slug: row.slug, version: compileHead(storedHead(row), this.#surroundings) });
    } catch (error) {
      if (!(error instanceof UnreadableVersion)) throw error;
      this.workflows.remove(row.workflow);
      onBroken({ workflow: row.workflow, version: row.id, problems: error.problems });
    }
  }
}

/** A workflow's row with what of its published version is needed to match it. */
interface HeadRow {
  readonly workflow: string;
  readonly slug: string;
  readonly position: number;
  readonly runs: boolean;
  readonly id: string;
  readonly publisher: string;
  readonly due_from: string;
  readonly trigger_due_from: Readonly<Record<string, string>>;
  readonly document: StoredHead["document"];
}

const isSame = (known: VersionHead, row: HeadRow): boolean =>
  known.id === row.id && known.order === row.position && known.publishedAt === row.due_from;

const storedHead = (row: HeadRow): StoredHead => ({
  id: row.id,
  workflow: row.workflow,
  publisher: row.publisher,
  publishedAt: row.due_from,
  dueFrom: row.trigger_due_from,
  order: row.position,
  document: row.document,
});

/** The workflows that changed since a version of the settings, without the steps of their documents. */
async function readHeads(client: ClientBase, { lane, organization }: Place, since: number): Promise<HeadRow[]> {
  const { rows } = await client.query<HeadRow>(
    `select w.id as workflow, w.slug, w.position, v.id is not null as runs, v.id, v.publisher, v.due_from, v.trigger_due_from,
  v.document - array['steps', 'layout', 'description', 'outputs', 'limits'] as document
from workflows w left join workflow_versions v on v.lane = w.lane and v.organization = w.organization and v.id = w.published
  and w.enabled and w.archived_at is null
where w.lane = $1 and w.organization = $2 and w.changed_in > $3`,
    [lane, organization, since],
  );
  return rows;
}

/**
 * The configuration of an organization at a `config_version`, as a process keeps it: the one that it holds, brought up to
 * date where it is older. Null when there is no such organization.
 */
export async function freshConfig(
  client: ClientBase,
  configs: Map<string, CachedConfig>,
  place: Place,
  version: number | undefined,
  onBroken: OnBroken,
): Promise<CachedConfig | null> {
  const { lane, organization } = place;
  const held = configs.get(organization);
  if (held !== undefined && held.version === version) return held;
  // a database that was restored may be behind: nothing held is worth anything then
  const known = held !== undefined && version !== undefined && held.version < version ? held : null;
  const since = known?.version ?? -1;
  const read = await readSettings(client, lane, organization, known?.settings.all ?? null);
  if (read === null) return null;
  const heads = await readHeads(client, place, since);
  // another reader may have been faster, and a batch may have gone on with what it took over
  const now = configs.get(organization);
  const passed = now !== undefined && now.version >= read.settings.version && (known !== null || now !== held);
  if (passed) return now;
  const config = known ?? new CachedConfig(indexSettings(read.settings));
  config.take(read, heads, onBroken);
  configs.set(organization, config);
  return config;
}

/** Loads the steps of versions. Answers those that are not there, or cannot be made ready any more. */
export async function loadVersions(
  client: ClientBase,
  { lane, organization }: Place,
  config: CachedConfig,
  ids: readonly string[],
  onBroken: OnBroken,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string; document: WorkflowDocument }>(
    "select id, document from workflow_versions where lane = $1 and organization = $2 and id = any($3)",
    [lane, organization, ids],
  );
  const documents = new Map(rows.map((row) => [row.id, row.document]));
  for (const id of ids) config.putBody(id, documents.get(id) ?? null, onBroken);
  return ids.filter((id) => config.workflows.version(id) === null);
}
