import { IdSchema, oneOf, orNull, prepare, refuse, type SettingsIndex } from "@threadmill/core";
import { Type } from "typebox";
import { ProblemAnswer } from "../../http/errors.ts";
import type { AppPorts } from "../../http/ports.ts";
import { problem } from "../../http/problems.ts";
import { type Call, type Route, route } from "../../http/route.ts";
import { isEncoding } from "../../jobs/csv/encoding.ts";
import { inputOf, mappingProblem, MappingSchema, suggestMapping } from "../../jobs/csv/mapping.ts";
import { NoTable, readRecords, recordBytes, type Separator, separators } from "../../jobs/csv/records.ts";
import { receiveTable, UploadTooLarge } from "../../jobs/csv/upload.ts";
import type { JobFile } from "../../jobs/files.ts";
import { factsOf } from "../../jobs/kinds/import-customers.ts";

const previewRows = 20;
const separator = oneOf(separators, "what stands between the cells; default: as found out");

const ImportSchema = Type.Object(
  {
    id: IdSchema,
    name: Type.String(),
    bytes: Type.Integer({ description: "in UTF-8" }),
    encoding: Type.String({ description: "as it was found out, or said" }),
    unreadable: Type.Integer({
      description: "characters that this encoding does not know; where there are many it is another",
    }),
    separator: oneOf(separators),
    columns: Type.Array(Type.String(), { description: "the first row" }),
    rows: Type.Integer({ description: "about how many rows there are behind the first" }),
    mapping: Type.Array(orNull(Type.String()), { description: "what the columns may be meant for, by their names" }),
    preview: Type.Array(Type.Array(Type.String()), { description: `the first ${previewRows} rows behind the first` }),
    expires_at: Type.String({ description: "it is removed then, unless a job works on it" }),
  },
  { title: "Import" },
);

const Row = Type.Object({
  row: Type.Integer(),
  input: Type.Record(Type.String(), Type.Unknown()),
  problem: orNull(Type.Object({ code: Type.String(), message: Type.String() })),
});

/** Routes of tables that are to be imported: uploading one, and seeing what would become of its rows. */
export function importRoutes({ jobs }: Pick<AppPorts, "jobs">): Route[] {
  const about = { tag: "Jobs", permission: "customers.import" } as const;
  const params = Type.Object({ import: IdSchema });
  const { files } = jobs;

  /** An upload of whoever calls, until a job is done with it. */
  const find = async (call: Pick<Call, "place" | "actor">, id: string): Promise<JobFile | null> => {
    const file = await files.find(call.place, id);
    return file !== null && file.complete && file.job === null && file.created_by === call.actor.id ? file : null;
  };
  const none = () => refuse("not_found", "import_not_found", "There is no such import of yours");
  const beginningOf = async (call: Pick<Call, "place">, file: JobFile, by?: Separator) => {
    const text = await files.read(call.place, file.id, 0, 2 * recordBytes);
    const options = { separator: by ?? factsOf(file).separator, most: previewRows + 1, all: text.length >= file.bytes };
    try {
      return readRecords(text, options).records;
    } catch (error) {
      if (error instanceof NoTable) return [];
      throw error;
    }
  };
  const show = async (call: Pick<Call, "place">, file: JobFile, settings: SettingsIndex) => {
    const { encoding, unreadable, columns, rows, separator: by } = factsOf(file);
    const [, ...preview] = await beginningOf(call, file);
    const { id, name, bytes, expires_at } = file;
    const mapping = suggestMapping(columns, settings);
    return { id, name, bytes, encoding, unreadable, separator: by, columns, rows, mapping, preview, expires_at };
  };

  return [
    route({
      ...about,
      method: "POST",
      url: "/imports",
      summary: "Uploads a table of customers",
      description:
        "The body is the file as it is, of up to 200 MB, as `text/csv` or `application/octet-stream`. Encoding and separator are found out; where that goes wrong, upload it again and say them. Then ask for a job of the kind `customers.import`, with `dry_run` first.",
      query: Type.Object({
        name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
        encoding: Type.Optional(Type.String({ maxLength: 40, description: "such as windows-1252" })),
        separator: Type.Optional(separator),
      }),
      upload: ["text/csv", "text/plain", "text/tab-separated-values", "application/octet-stream"],
      answer: ImportSchema,
      status: 201,
      async handle(call) {
        const { place, query, actor, upload } = call;
        if (upload === null) throw new ProblemAnswer(problem("unsupported_media_type"));
        if (query.encoding !== undefined && !isEncoding(query.encoding))
          return refuse("invalid", "encoding_unknown", "There is no such encoding", "/encoding");
        const about = { name: query.name ?? "table.csv", by: actor.id, encoding: query.encoding ?? null };
        try {
          const id = await receiveTable(files, place, upload, { ...about, separator: query.separator ?? null });
          return await show(call, (await files.find(place, id)) as JobFile, await call.settings());
        } catch (error) {
          if (error instanceof UploadTooLarge)
            throw new ProblemAnswer(problem("body_too_large", { detail: error.message }));
          if (error instanceof NoTable) return refuse("invalid", "table_unreadable", "This is no table");
          throw error;
        }
      },
    }),
    route({
      ...about,
      method: "GET",
      url: "/imports/:import",
      summary: "Reads an uploaded table: its columns and first rows",
      params,
      answer: ImportSchema,
      async handle(call) {
        const file = await find(call, call.params.import);
        return file === null ? none() : show(call, file, await call.settings());
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/imports/:import/preview",
      summary: "Tells what the first rows would be",
      description:
        "What a row lacks by itself is told; for what may stand against it here ask for a job with `dry_run`.",
      params,
      body: Type.Object(
        {
          mapping: MappingSchema,
          separator: Type.Optional(separator),
          header: Type.Optional(
            Type.Boolean({ description: "whether the first row names the columns; default: true" }),
          ),
        },
        { additionalProperties: false },
      ),
      answer: Type.Object({ rows: Type.Array(Row, { maxItems: previewRows }) }, { title: "ImportPreview" }),
      async handle(call) {
        const { body } = call;
        const file = await find(call, call.params.import);
        if (file === null) return none();
        const wrong = mappingProblem(body.mapping);
        if (wrong !== null) return refuse("invalid", "mapping_invalid", wrong, "/mapping");
        const settings = await call.settings();
        const records = await beginningOf(call, file, body.separator);
        const rows = records.slice(body.header === false ? 0 : 1).slice(0, previewRows);
        return {
          rows: rows.map((record, n) => {
            const input = inputOf(record, body.mapping, settings);
            const prepared = prepare("customer.upsert", input, settings);
            const { code, message } = prepared.ok ? { code: "", message: "" } : prepared;
            return { row: n + 1, input, problem: prepared.ok ? null : { code, message } };
          }),
        };
      },
    }),
    route({
      ...about,
      method: "DELETE",
      url: "/imports/:import",
      summary: "Removes an uploaded table",
      params,
      answer: Type.Object({ id: IdSchema }),
      async handle(call) {
        const file = await find(call, call.params.import);
        if (file === null) return none();
        await files.remove(call.place, file.id);
        return { id: file.id };
      },
    }),
  ];
}
