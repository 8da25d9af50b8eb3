import { IdSchema, oneOf, refuse, type Refusal } from "@threadmill/core";
import { Type } from "typebox";
import { inputOf, type Mapping, mappingProblem, MappingSchema } from "../csv/mapping.ts";
import { NoTable, readRecords, recordBytes, type Separator, separators } from "../csv/records.ts";
import type { TableFacts } from "../csv/upload.ts";
import type { JobFile } from "../files.ts";
import { defineJob, type ItemRefused, type JobContext, JobFailed, type JobItem, type JobPlan } from "../kind.ts";
import { tryOut } from "../try-out.ts";

interface Parameters {
  readonly file: string;
  readonly mapping: Mapping;
  readonly separator?: Separator;
  readonly header?: boolean;
  readonly dry_run?: boolean;
}

/** Where the next row begins, and how many came before. */
interface Cursor {
  readonly at: number;
  readonly row: number;
}

/** Rows that lie together in the file; it never changes, so they are the same whoever reads them. */
interface Rows extends Cursor {
  readonly bytes: number;
}

/** As long as its job may be there, so that one which was paused can go on. */
const keptHours = 40 * 24;
const readBytes = 128 * 1024;

/** Changes or makes a customer for each row of an uploaded table: see `POST /imports`. */
export const importCustomers = defineJob({
  name: "customers.import",
  summary: "Changes or makes a customer for each row of an uploaded table",
  permission: "customers.import",
  parameters: Type.Object(
    {
      file: Type.String({ ...IdSchema, description: "the import that was uploaded" }),
      mapping: MappingSchema,
      separator: Type.Optional(oneOf(separators, "default: as found out")),
      header: Type.Optional(Type.Boolean({ description: "whether the first row names the columns; default: true" })),
      dry_run: Type.Optional(Type.Boolean({ description: "tells what would be refused, and changes nothing" })),
    },
    { additionalProperties: false },
  ),
  open: true,
  refusalsKept: 100_000,
  async problem({ parameters, place, actor, files }: JobContext<Parameters>): Promise<Refusal | null> {
    const file = await files.find(place, parameters.file);
    if (file === null || !file.complete || file.job !== null || file.created_by !== actor.id)
      return refuse("not_found", "import_not_found", "There is no such import of yours", "/parameters/file");
    const wrong = mappingProblem(parameters.mapping);
    return wrong === null ? null : refuse("invalid", "mapping_invalid", wrong, "/parameters/mapping");
  },
  async total({ parameters, place, files }) {
    const file = await files.find(place, parameters.file);
    return file === null ? null : factsOf(file).rows + (parameters.header === false ? 1 : 0);
  },
  async plan(context, cursor: Cursor | null): Promise<JobPlan<Cursor, Rows> | null> {
    const { files, place, sliceItems } = context;
    const file = await fileOf(context);
    if (cursor === null) await files.keep(place, file.id, keptHours);
    const from = cursor ?? { at: await firstRow(context, file), row: 0 };
    const { count, bytes } = await nextRows(context, file, from, sliceItems);
    if (count === 0) return null;
    const next = { at: from.at + bytes, row: from.row + count };
    const last = next.at >= file.bytes;
    return { plan: { ...from, bytes }, cursor: next, ...(last && { total: next.row }) };
  },
  async work(context, { at, row, bytes }) {
    const { files, place, parameters, settings } = context;
    const file = await fileOf(context);
    const separator = separatorOf(parameters, file);
    const text = await files.read(place, file.id, at, bytes);
    const { records } = readRecords(text, { separator, most: Infinity, all: true });
    const items = records.map((record, n): JobItem => ({
      item: String(row + n + 1),
      command: { type: "customer.upsert", input: inputOf(record, parameters.mapping, settings) },
      detail: record,
    }));
    if (parameters.dry_run !== true) return { items };
    const refused: ItemRefused[] = [];
    for (const [n, answer] of (await tryOut(context, items)).entries()) {
      const { item, detail } = items[n] as JobItem;
      if (answer !== null)
        refused.push({ item, code: answer.code, message: answer.message, path: answer.path, detail });
    }
    return { items: [], refused, done: items.length - refused.length };
  },
  async finish(context, tx) {
    const file = await fileOf(context);
    const { columns } = factsOf(file);
    // what was tried may be done next
    if (context.parameters.dry_run !== true) await context.files.keep(context.place, file.id, 0, tx);
    return { columns, dry_run: context.parameters.dry_run === true };
  },
});

/** What is known of an uploaded table. */
export const factsOf = ({ facts }: JobFile): TableFacts => facts as unknown as TableFacts;

const separatorOf = ({ separator }: Parameters, file: JobFile): Separator => separator ?? factsOf(file).separator;

async function fileOf({ files, place, parameters }: JobContext<Parameters>): Promise<JobFile> {
  const file = await files.find(place, parameters.file);
  if (file === null) throw new JobFailed("import_gone", "The uploaded table is not kept any more");
  return file;
}

async function firstRow(context: JobContext<Parameters>, file: JobFile): Promise<number> {
  if (context.parameters.header === false) return 0;
  return (await nextRows(context, file, { at: 0, row: -1 }, 1)).bytes;
}

/** How many rows come next, so many at most, and how many bytes they take. */
async function nextRows(
  { files, place, parameters }: JobContext<Parameters>,
  file: JobFile,
  { at, row }: Cursor,
  most: number,
): Promise<{ readonly count: number; readonly bytes: number }> {
  const separator = separatorOf(parameters, file);
  for (let wanted = readBytes; ; wanted *= 2) {
    const text = await files.read(place, file.id, at, wanted);
    const all = at + text.length >= file.bytes;
    try {
      const { records, bytes } = readRecords(text, { separator, most, all });
      if (records.length > 0 || all) return { count: records.length, bytes };
    } catch (error) {
      if (!(error instanceof NoTable)) throw error;
      throw new JobFailed("row_unreadable", `Row ${row + 2} never ends: ${error.message}`);
    }
    if (wanted > 2 * recordBytes) throw new JobFailed("row_unreadable", `Row ${row + 2} never ends`);
  }
}
