import { IdSchema, markOf, refuse, worldNouns } from "@threadmill/core";
import { type TObject, Type } from "typebox";
import { familyOf } from "../../features/family.ts";
import { reachIn } from "../../rights/reach.ts";
import { readableCustomers } from "../../rights/readable.ts";
import { endExport, jsonLine, jsonLinesType, writeExport } from "../export-file.ts";
import { defineJob, type JobContext, type JobPlan } from "../kind.ts";

/** How the rows of a table are found that are about a customer, and in which order they come. */
interface Part {
  readonly table: keyof typeof worldNouns;
  /** which rows; `$3` are the ids of the customer and of whom was merged into them */
  readonly whose: string;
  readonly key: string;
  readonly type: "uuid" | "text" | "bigint";
}

/** Everything that is kept of a customer, as erasing knows it; a test holds it against the schemas. */
export const parts: readonly Part[] = [
  { table: "customers", whose: "id = any($3)", key: "id", type: "uuid" },
  { table: "addresses", whose: "customer = any($3)", key: "address", type: "text" },
  { table: "notes", whose: "customer = any($3)", key: "id", type: "uuid" },
  { table: "conversations", whose: "customer = any($3)", key: "id", type: "uuid" },
  {
    table: "messages",
    whose:
      "conversation in (select id from conversations where lane = $1 and organization = $2 and customer = any($3))",
    key: "id",
    type: "uuid",
  },
  { table: "runs", whose: "customer = any($3)", key: "id", type: "uuid" },
  { table: "runs_history", whose: "customer = any($3)", key: "id", type: "uuid" },
  { table: "log", whose: "customer = any($3)", key: "seq", type: "bigint" },
  {
    table: "recorded_deliveries",
    whose: "message in (select id from messages where lane = $1 and organization = $2 and customer = any($3))",
    key: "key",
    type: "text",
  },
];

interface Cursor {
  readonly part: number;
  readonly after: string | null;
}
interface Range extends Cursor {
  readonly to: string;
}

const file = ({ id }: JobContext) => ({ name: `customer-${id}.jsonl`, mediaType: jsonLinesType });

/** The columns that may be shown: all but secrets, by the marks of the schema. */
const columnsOf = (table: Part["table"]): string[] =>
  Object.entries((worldNouns[table] as TObject).properties)
    .filter(([, schema]) => markOf(schema) !== "secret")
    .map(([name]) => name);

type Context = JobContext<{ readonly customer: string }>;

const family = async ({ pool, place, parameters: { customer } }: Context): Promise<string[]> => [
  ...new Set([customer, ...(await familyOf(pool, place, "customers", customer))]),
];

const behind = ({ key, type, whose, table }: Part): string =>
  `from ${table} where lane = $1 and organization = $2 and ${whose} and ($4::text is null or ${key} > $4::${type})`;

/** Writes all that is kept of one customer into a file, for whoever asks what we know of them. */
export const exportCustomer = defineJob({
  name: "customers.disclose",
  summary: "Writes all that is kept of one customer into a file, for a request under data protection",
  permission: "customers.export",
  parameters: Type.Object({ customer: IdSchema }, { additionalProperties: false }),
  open: true,
  async problem({ pool, place, settings, actor, parameters: { customer } }: Context) {
    const { rows } = await pool.query("select from customers where lane = $1 and organization = $2 and id = $3", [
      place.lane,
      place.organization,
      customer,
    ]);
    const readable = await readableCustomers(pool, place, reachIn(settings, actor, "customers.read"), [customer]);
    return rows.length > 0 && readable.has(customer)
      ? null
      : refuse("not_found", "customer_not_found", "There is no such customer", "/parameters/customer");
  },
  async plan(context: Context, cursor: Cursor | null): Promise<JobPlan<Cursor, Range> | null> {
    const { pool, place, sliceItems } = context;
    const ids = await family(context);
    for (let { part, after } = cursor ?? { part: 0, after: null }; part < parts.length; part += 1, after = null) {
      const own = parts[part] as Part;
      const { rows } = await pool.query<{ key: string | number }>(
        `select ${own.key} as key ${behind(own)} order by ${own.key} limit $5`,
        [place.lane, place.organization, ids, after, sliceItems],
      );
      const last = rows.at(-1)?.key;
      if (last === undefined) continue;
      return { plan: { part, after, to: String(last) }, cursor: { part, after: String(last) } };
    }
    return null;
  },
  async work(context, { part, after, to }) {
    const { pool, place } = context;
    const own = parts[part] as Part;
    const { rows } = await pool.query<object>(
      `select ${columnsOf(own.table).join(", ")} ${behind(own)} and ${own.key} <= $5::${own.type} order by ${own.key}`,
      [place.lane, place.organization, await family(context), after, to],
    );
    const text = rows.map((row) => jsonLine({ table: own.table, ...row })).join("");
    const first = part === 0 && after === null;
    return { items: [], done: rows.length, write: (tx) => writeExport(context, { ...file(context), first }, text, tx) };
  },
  finish: (context, tx) => endExport(context, file(context), tx),
});
