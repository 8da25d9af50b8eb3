import { blank, isId, type Json, markOf, type StepResult, worldNouns } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Sweep } from "./sweep.ts";

const runsAtATime = 50;

/** The columns that hold something personal, whole or in part: those that carry no mark, or that one. */
const columns = Object.entries(worldNouns.runs.properties)
  .filter(([, schema]) => [null, "personal"].includes(markOf(schema)))
  .map(([name]) => name);

type RunRow = { readonly id: string; readonly steps: readonly StepResult[] } & { readonly [column: string]: Json };

/**
 * Blanks what runs about these subjects took in and gave out, and that of the runs which they started, whatever those
 * are about; that they ran, and when, stays.
 */
export async function blankRuns(sweep: Sweep, subjects: readonly string[]): Promise<void> {
  for (const table of ["runs", "runs_history"] as const) {
    for (let after: string | null = null; ;) {
      const last: string | null = await runSlice(sweep, table, subjects, after);
      if (last === null) break;
      after = last;
    }
  }
}

function runSlice(
  { lane, organization, inLane }: Sweep,
  table: "runs" | "runs_history",
  subjects: readonly string[],
  after: string | null,
): Promise<string | null> {
  return inLane(async (tx) => {
    const { rows } = await tx.query<RunRow>(
      `select id, ${columns.join(", ")} from ${table}
where lane = $1 and organization = $2 and subject = any($3) and ($4::uuid is null or id > $4) order by id limit $5`,
      [lane, organization, subjects, after, runsAtATime],
    );
    await write(tx, lane, organization, table, rows);
    await blankStarted(tx, lane, organization, rows);
    return (
      rows
        .map((row) => row.id)
        .toSorted()
        .at(-1) ?? null
    );
  });
}

/** The runs that these started, and those that they started in turn: what they were given came from here. */
async function blankStarted(
  tx: PoolClient,
  lane: number,
  organization: string,
  starters: readonly RunRow[],
): Promise<void> {
  const seen = new Set<string>();
  for (let ids = startedBy(starters, seen); ids.length > 0;) {
    const found: RunRow[] = [];
    for (const table of ["runs", "runs_history"] as const) {
      const { rows } = await tx.query<RunRow>(
        `select id, ${columns.join(", ")} from ${table} where lane = $1 and organization = $2 and id = any($3)`,
        [lane, organization, ids],
      );
      await write(tx, lane, organization, table, rows);
      found.push(...rows);
    }
    ids = startedBy(found, seen);
  }
}

/** Runs that steps of these started and that were not seen before. */
function startedBy(runs: readonly RunRow[], seen: Set<string>): string[] {
  const ids = runs.flatMap(({ steps }) => steps.flatMap((step) => startedIn(step) ?? []));
  const fresh = [...new Set(ids)].filter((id) => !seen.has(id));
  for (const id of fresh) seen.add(id);
  return fresh;
}

function startedIn({ kind, output }: StepResult): string | null {
  const run = kind === "run.start" ? (output as { readonly run?: Json } | undefined)?.run : undefined;
  return typeof run === "string" && isId(run) ? run : null;
}

async function write(
  tx: PoolClient,
  lane: number,
  organization: string,
  table: "runs" | "runs_history",
  rows: readonly RunRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const type = table === "runs" ? "jsonb" : "json";
  await tx.query(
    `update ${table} t set ${columns.map((name) => `${name} = r.${name}`).join(", ")}
from json_to_recordset($3::json) as r(id uuid, ${columns.map((name) => `${name} ${type}`).join(", ")})
where t.lane = $1 and t.organization = $2 and t.id = r.id`,
    [lane, organization, JSON.stringify(rows.map(blankRun))],
  );
}

/** Which run a step started stays: a sweep that comes again finds what that one took in meanwhile. */
function blankRun({ id, ...row }: RunRow): object {
  const blanked = blank(worldNouns.runs, row) as unknown as { readonly steps: readonly StepResult[] };
  const steps = blanked.steps.map((step, index) => {
    const run = startedIn(row.steps[index] as StepResult);
    return { ...step, ...(run !== null && { output: { run } }), erased: true };
  });
  return { id, ...blanked, steps };
}
