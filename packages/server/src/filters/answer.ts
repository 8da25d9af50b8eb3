import { type RawBuilder, sql, type SqlBool } from "kysely";

/**
 * An answer to a part of a condition, as SQL: true, false, or null where it cannot be decided, which is never the same as
 * false. `faults` says whether null is possible; where it is not, plain SQL does, and indexes can be used.
 */
export interface Answer {
  readonly sql: RawBuilder<SqlBool>;
  readonly faults: boolean;
}

export const sure = (expression: RawBuilder<SqlBool>): Answer => ({ sql: expression, faults: false });
export const unsure = (expression: RawBuilder<SqlBool>): Answer => ({ sql: expression, faults: true });
export const yes: Answer = sure(sql<SqlBool>`true`);
export const no: Answer = sure(sql<SqlBool>`false`);
/** What can be decided for no row that gets there. */
export const undecided: Answer = unsure(sql<SqlBool>`null::boolean`);

export const constant = (value: boolean | null): Answer => (value === null ? undecided : value ? yes : no);

/** The opposite; what cannot be decided stays so. */
export const not = ({ sql: inner, faults }: Answer): Answer =>
  faults ? unsure(sql<SqlBool>`(not (${inner}))`) : sure(sql<SqlBool>`((${inner}) is not true)`);

export const notIf = (turned: boolean, answer: Answer): Answer => (turned ? not(answer) : answer);

/**
 * All of them, or any, in order and up to the first that decides, as conditions are evaluated: what is behind that is
 * not asked, so its fault does not count. `exact` is false where only true matters, and null and false are one.
 */
export function group(kind: "all" | "any", answers: readonly Answer[], exact: boolean): Answer {
  if (answers.length === 0) return constant(kind === "all");
  return answers.reduceRight((rest, one) => (kind === "all" ? both(one, rest, exact) : either(one, rest)));
}

function both(one: Answer, rest: Answer, exact: boolean): Answer {
  const faults = one.faults || rest.faults;
  if (!one.faults || !exact) return { sql: sql<SqlBool>`(${one.sql} and ${rest.sql})`, faults };
  return unsure(sql<SqlBool>`(case when ${one.sql} then ${rest.sql} when not ${one.sql} then false end)`);
}

function either(one: Answer, rest: Answer): Answer {
  if (!one.faults) return { sql: sql<SqlBool>`(${one.sql} or ${rest.sql})`, faults: rest.faults };
  return unsure(sql<SqlBool>`(case when ${one.sql} then true when not ${one.sql} then ${rest.sql} end)`);
}

/**
 * Goes over a list in order, up to the first item that decides: for `any` one that holds, for `every` one that does not.
 * `items` gives the items as `item.value`; one that is missing holds for nothing. The list has an item.
 */
export function over(items: RawBuilder<unknown>, every: boolean, test: Answer): Answer {
  if (!test.faults) {
    return every
      ? sure(sql<SqlBool>`(not exists (select from ${items} as item(value) where ${test.sql} is not true))`)
      : sure(sql<SqlBool>`(exists (select from ${items} as item(value) where ${test.sql}))`);
  }
  const found = sql`(select case when one.answer then 1 when not one.answer then 0 else 2 end from (
    select case when item.value is null then false else ${test.sql} end as answer, item.place
    from ${items} with ordinality as item(value, place)) as one
  where one.answer is distinct from ${sql.lit(every)} order by one.place limit 1)`;
  return unsure(
    sql<SqlBool>`(case coalesce(${found}, ${sql.lit(every ? 1 : 0)}) when 1 then true when 0 then false end)`,
  );
}
