import type { TObject } from "typebox";

/** The columns that a schema shows, as a select list: what it does not name is not read. */
export const shownColumns = <Row>(schema: TObject): (keyof Row & string)[] =>
  Object.keys(schema.properties) as (keyof Row & string)[];
