import { RunHeadSchema, RunSchema } from "@threadmill/core";
import { worldTables } from "../../lanes/tables.ts";

const types: Readonly<Record<string, string>> = worldTables.runs_history.columns;

/** Columns of a shape from both tables alike: the history keeps as json what live runs keep as jsonb. */
const selectList = (shape: { readonly properties: object }): string =>
  Object.keys(shape.properties)
    .map((name) => (types[name] === "json" ? `${name}::json as ${name}` : name))
    .join(", ");

/** What a list of runs shows of each. */
export const runHeadColumns = selectList(RunHeadSchema);
/** All that is shown of one run. */
export const runColumns = selectList(RunSchema);
