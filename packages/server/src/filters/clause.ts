import type { Comparand, FilterClause } from "@threadmill/core";
import { type RawBuilder, sql, type SqlBool } from "kysely";
import { type Answer, group, no, notIf, over, sure, undecided, unsure, yes } from "./answer.ts";
import { equals, equalsAny, isNotEmpty, type Moment, passes } from "./compare.ts";
import type { Found, Single } from "./value.ts";

/** Operators that say the opposite of another. */
const negations: { readonly [op in FilterClause["op"]]?: FilterClause["op"] } = {
  is_not: "is",
  not_in: "in",
  none_of: "any_of",
  not_contains: "contains",
  not_matches: "matches",
  not_in_last: "in_last",
  is_not_set: "is_set",
  is_empty: "is_not_empty",
};
/** Operators that look at a list as a whole; all others go over its items. */
const ofWhole = new Set<FilterClause["op"]>(["any_of", "all_of", "is_set", "is_not_empty"]);

/** What a clause answers for what its path finds: as `clause.holds` does for a row in memory. */
export function answerOf(clause: FilterClause, found: Found, moment: Moment): Answer {
  const base = negations[clause.op] ?? clause.op;
  const turned = (clause.match === "none") !== (base !== clause.op);
  const plain = { ...clause, op: base };
  // where there is nothing to compare with, on either side, nothing holds
  if (clause.right === null || found.kind === "missing") return notIf(turned, no);
  return notIf(turned, ofWhole.has(base) ? wholeAnswer(plain, found) : itemsAnswer(plain, found, moment));
}

function wholeAnswer(clause: FilterClause, found: Exclude<Found, { kind: "missing" }>): Answer {
  if (clause.op === "is_set") {
    if (found.kind === "list") return sure(sql<SqlBool>`(${found.sql} is not null)`);
    if (found.kind === "single") return there(found.value, yes);
    return sure(sql<SqlBool>`(coalesce(jsonb_typeof(${found.sql}), 'null') <> 'null')`);
  }
  if (clause.op === "is_not_empty") {
    if (found.kind === "list") return hasItems(found.sql);
    if (found.kind === "single") return there(found.value, isNotEmpty(found.value));
    return sure(sql<SqlBool>`(coalesce(${found.sql}, 'null') not in ('null', '""', '[]', '{}'))`);
  }
  const rights = clause.right as readonly Comparand[];
  // a single value that is sought as one of several is sought at once
  if (clause.op === "any_of" && found.kind === "single") return there(found.value, equalsAny(found.value, rights));
  const each = rights.map((right) => hasOne(found, right));
  return group(clause.op === "any_of" ? "any" : "all", each, true);
}

/** Whether a list, or a single value as a list of one, holds a value. */
function hasOne(found: Exclude<Found, { kind: "missing" }>, right: Comparand): Answer {
  if (found.kind === "single") return there(found.value, equals(found.value, right));
  if (found.kind === "list") return over(sql`unnest(${found.sql})`, false, equals(itemOf(found.item), right));
  return byJsonType(
    found.sql,
    (value) => equals(value, right),
    (items) =>
      over(
        items,
        false,
        byJsonType(itemSql, (value) => equals(value, right)),
      ),
  );
}

function itemsAnswer(clause: FilterClause, found: Exclude<Found, { kind: "missing" }>, moment: Moment): Answer {
  const every = clause.match === "all";
  const test = (value: Single): Answer => passes(clause, value, moment);
  if (found.kind === "single") return there(found.value, test(found.value));
  if (found.kind === "list") {
    const all = over(sql`unnest(${found.sql})`, every, test(itemOf(found.item)));
    return every ? group("all", [hasItems(found.sql), all], true) : all;
  }
  return byJsonType(found.sql, test, (items) => over(items, every, byJsonType(itemSql, test)));
}

const itemSql = sql`item.value`;
const itemOf = (type: "text" | "id"): Single => ({ type, sql: sql`item.value` });

/** Where there is no row beside, its lists are missing too. */
const hasItems = (list: RawBuilder<unknown>): Answer => sure(sql<SqlBool>`(coalesce(cardinality(${list}), 0) > 0)`);

/** A value that is missing holds for nothing. */
function there(value: Single, answer: Answer): Answer {
  if (!answer.faults) return sure(sql<SqlBool>`(${value.sql} is not null and ${answer.sql})`);
  return unsure(sql<SqlBool>`(case when ${value.sql} is null then false else ${answer.sql} end)`);
}

/** A JSON value by its type: texts, numbers and booleans singly, lists by their items; what else is there cannot be judged. */
function byJsonType(
  value: RawBuilder<unknown>,
  single: (value: Single) => Answer,
  list?: (items: RawBuilder<unknown>) => Answer,
): Answer {
  const text = sql<string>`(${value} #>> '{}')`;
  const inList =
    list === undefined
      ? undecided.sql
      : sql`case when ${value} = '[]' then false else ${list(sql`jsonb_array_elements(${value})`).sql} end`;
  return unsure(sql<SqlBool>`(case coalesce(jsonb_typeof(${value}), 'null')
    when 'null' then false
    when 'string' then ${single({ type: "text", sql: text }).sql}
    when 'number' then ${single({ type: "number", sql: sql`(${value})::float8` }).sql}
    when 'boolean' then ${single({ type: "boolean", sql: sql`(${value})::boolean` }).sql}
    when 'array' then ${inList} end)`);
}
