import { CustomerSchema, oneOf } from "@threadmill/core";
import { firstIdLater } from "../asked.ts";
import { Type } from "typebox";
import { shownColumns } from "../../features/columns.ts";
import type { Tables } from "../../features/tables.ts";
import { customersWithinReach, reachIn } from "../../rights/reach.ts";
import { csvType, lineOf } from "../csv/cells.ts";
import { endExport, jsonLine, jsonLinesType, writeExport } from "../export-file.ts";
import { defineJob, type JobContext, type JobPlan } from "../kind.ts";

interface Parameters {
  readonly format: "csv" | "jsonl";
}

/** Behind whom it goes on; and which properties have a column of their own, as when it began. */
interface Cursor {
  readonly after: string | null;
  readonly properties: readonly string[];
}

/** Those behind one and up to another: who stands between them does not change what a repeat writes. */
interface Range extends Cursor {
  readonly to: string;
}

/** Rows cost little beside commands. */
const rowsPerItem = 4;
const customerColumns = shownColumns<Tables["customers"]>(CustomerSchema);
const fields = customerColumns.filter((column) => column !== "properties");

const fileOf = ({ id, parameters: { format } }: JobContext<Parameters>) => ({
  name: `customers-${id}.${format}`,
  mediaType: format === "csv" ? csvType : jsonLinesType,
});

const within = ({ db, place, settings, actor, askedAt }: JobContext<Parameters>, after: string | null) =>
  db
    .selectFrom("customers")
    .where("lane", "=", place.lane)
    .where("organization", "=", place.organization)
    .where(customersWithinReach(reachIn(settings, actor, "customers.read")))
    .where("erased_at", "is", null)
    // who comes while it is written is not meant, or it might never end
    .where("id", "<", firstIdLater(askedAt))
    .$if(after !== null, (query) => query.where("id", ">", after));

/** Writes customers into a file, as far as whoever asks may read them. */
export const exportCustomers = defineJob({
  name: "customers.export",
  summary: "Writes the customers whom you may read into a file",
  permission: "customers.export",
  parameters: Type.Object(
    { format: oneOf(["csv", "jsonl"] as const, "a table for spreadsheets, or one JSON object a line") },
    { additionalProperties: false },
  ),
  open: true,
  async plan(context: JobContext<Parameters>, cursor: Cursor | null): Promise<JobPlan<Cursor, Range> | null> {
    const from = cursor ?? {
      after: null,
      properties: context.settings.all.properties
        .filter((each) => each.noun === "customer" && each.archived_at === null)
        .map(({ name }) => name),
    };
    const rows = await within(context, from.after)
      .select("id")
      .orderBy("id")
      .limit(context.sliceItems * rowsPerItem)
      .execute();
    const to = rows.at(-1)?.id;
    return to === undefined ? null : { plan: { ...from, to }, cursor: { ...from, after: to } };
  },
  async work(context, { after, to, properties }) {
    const rows = await within(context, after).where("id", "<=", to).select(customerColumns).orderBy("id").execute();
    const csv = context.parameters.format === "csv";
    const first = after === null;
    const head = csv && first ? lineOf([...fields, ...properties.map((name) => `property:${name}`)]) : "";
    const lines = rows.map((row) =>
      csv
        ? lineOf([...fields.map((field) => row[field]), ...properties.map((name) => row.properties[name])])
        : jsonLine(row),
    );
    return {
      items: [],
      done: rows.length,
      write: (tx) => writeExport(context, { ...fileOf(context), first }, head + lines.join(""), tx),
    };
  },
  finish: (context, tx) => endExport(context, fileOf(context), tx),
});
