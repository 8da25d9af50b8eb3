import type { PoolClient } from "pg";
import { FileGone } from "./files.ts";
import type { JobContext } from "./kind.ts";

/** What is exported is removed after so long: whoever wants it later asks anew. */
export const exportHours = 72;

/**
 * Writes the next text of a job's own file, in the transaction that moves the job's cursor; the first one makes the file,
 * which has the job's id.
 */
export async function writeExport(
  { id, place, files, actor }: JobContext,
  file: { readonly name: string; readonly mediaType: string; readonly first: boolean },
  text: string,
  tx: PoolClient,
): Promise<void> {
  const { name, mediaType } = file;
  if (file.first) await files.create(place, { id, name, mediaType, job: id, by: actor.id, hours: exportHours }, tx);
  await files.append(place, id, Buffer.from(text), tx);
}

/** Says that a job's own file is whole, and how long it is kept from now on; one of nothing is made here. */
export async function endExport(
  context: JobContext,
  file: { readonly name: string; readonly mediaType: string },
  tx: PoolClient,
): Promise<{ readonly file: string; readonly bytes: number; readonly expires_in_hours: number }> {
  const { id, place, files } = context;
  const { rows } = await tx.query<{ done: number }>("select done from directory_jobs where id = $1", [id]);
  const empty = rows[0]?.done === 0;
  if (empty) await writeExport(context, { ...file, first: true }, "", tx);
  else if (!(await files.isThere(place, id, tx))) throw new FileGone();
  await files.complete(place, id, {}, tx);
  await files.keep(place, id, exportHours, tx);
  return { file: file.name, bytes: await files.size(place, id, tx), expires_in_hours: exportHours };
}

/** An object as a line. */
export const jsonLine = (value: object): string => `${JSON.stringify(value)}\n`;

/** The media type of one JSON value a line. */
export const jsonLinesType = "application/x-ndjson";
