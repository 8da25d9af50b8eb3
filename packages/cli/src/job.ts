import type { Context, Outcome } from "./command.ts";
import { clientFor } from "./server-client.ts";

/** A job as the API shows it. */
interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly total: number | null;
  readonly done: number;
  readonly refused: number;
  readonly created_at: string;
  readonly failure: { readonly code: string; readonly message: string } | null;
}

interface Refusal {
  readonly item: string;
  readonly code: string;
  readonly message: string;
}

/** Of so many refusals the reasons are shown; the API has all that are kept. */
const refusalsShown = 20;

const lineOf = ({ id, kind, state, total, done, refused, created_at, failure }: Job): string => {
  const far = `${done + refused}${total === null ? "" : ` of ${total}`}${refused === 0 ? "" : `, ${refused} refused`}`;
  return `${id}  ${created_at}  ${kind}  ${state}  ${far}${failure === null ? "" : `  ${failure.message}`}`;
};

/** Lists jobs, newest first: those that are not over, or all. */
export async function listJobs(context: Context, { all }: { readonly all: boolean }): Promise<Outcome> {
  const items: Job[] = [];
  for await (const job of clientFor(context).each<Job>("/jobs"))
    if (all || job.state === "waiting" || job.state === "running" || job.state === "paused") items.push(job);
  return { json: { items }, text: items.length === 0 ? "No jobs." : items.map(lineOf).join("\n") };
}

/** Shows a job, and why the first of what was refused was. */
export async function showJob(context: Context, id: string): Promise<Outcome> {
  const client = clientFor(context);
  const path = `/jobs/${encodeURIComponent(id)}`;
  const job = await client.request<Job>("GET", path);
  const { items } = await client.request<{ readonly items: readonly Refusal[] }>(
    "GET",
    `${path}/refusals?limit=${refusalsShown}`,
  );
  const refused = items.map(({ item, code, message }) => `  ${item}  ${code}  ${message}`);
  return { json: { ...job, refusals: items }, text: [lineOf(job), ...refused].join("\n") };
}

/** Cancels or resumes a job. */
export async function steerJob(context: Context, way: "cancel" | "resume", id: string): Promise<Outcome> {
  const job = await clientFor(context).request<Job>("POST", `/jobs/${encodeURIComponent(id)}/${way}`);
  return { json: job, text: lineOf(job) };
}
