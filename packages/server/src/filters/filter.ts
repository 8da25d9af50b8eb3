import { type Filter, type FilterClause, type FilterNode } from "@threadmill/core";
import { type RawBuilder, sql, type SqlBool } from "kysely";
import { worldTables } from "../lanes/tables.ts";
import { type Answer, constant, group, not, undecided, unsure } from "./answer.ts";
import { answerOf } from "./clause.ts";
import { type AnsweredBy, indexFor } from "./index-for.ts";
import { findIn } from "./value.ts";

/** A filter said to the database. */
export interface FilterSql {
  /** true for the rows for which the condition holds, and for no others */
  readonly where: RawBuilder<SqlBool>;
  /** true for the rows for which it cannot be decided, which `where` leaves out; null where there can be none */
  readonly undecided: RawBuilder<SqlBool> | null;
  /** what finds the rows without going over all of them */
  readonly index: AnsweredBy;
}

/**
 * Says a filter to the database: over conversations or customers, as the filter is, in a statement where their table has
 * this alias. It holds for exactly the rows for which `filter.test` answers true: a property holds one against the other.
 */
export function filterSql(filter: Filter, alias: string = `${filter.subject}s`): FilterSql {
  const { where, faults } = whereOf(filter, filter.node, alias);
  const exact = faults ? nodeAnswer(filter, filter.node, alias, true) : null;
  return {
    where,
    undecided: exact?.faults === true ? sql<SqlBool>`((${exact.sql}) is null)` : null,
    index: indexFor(filter),
  };
}

/** The same for a part of a filter alone. */
export function whereOf(
  filter: Filter,
  node: FilterNode,
  alias: string,
): { readonly where: RawBuilder<SqlBool>; readonly faults: boolean } {
  const answer = nodeAnswer(filter, node, alias, false);
  return { where: answer.sql, faults: answer.faults };
}

/** `exact` is false where null and false are one. */
function nodeAnswer(filter: Filter, node: FilterNode, alias: string, exact: boolean): Answer {
  switch (node.kind) {
    case "clause":
      return clauseAnswer(filter, node, alias);
    case "not":
      return not(nodeAnswer(filter, node.node, alias, true));
    default: {
      const deep = exact || node.kind === "any";
      return group(
        node.kind,
        node.nodes.map((one) => nodeAnswer(filter, one, alias, deep)),
        exact,
      );
    }
  }
}

function clauseAnswer(filter: Filter, clause: FilterClause, alias: string): Answer {
  const { subject, settings, at } = filter;
  const moment = { at, zone: settings.organization.zone };
  const [root, ...rest] = clause.path as [string, ...(string | number)[]];
  const inRow = (table: "customers" | "conversations" | "messages", row: string) =>
    answerOf(clause, findIn(worldTables[table].columns, row, rest), moment);
  switch (root) {
    case subject:
      return inRow(`${subject}s`, alias);
    case "customer":
      return beside(inRow("customers", "filter_customer"), customerOf(alias));
    case "message":
      return beside(inRow("messages", "filter_message"), newestMessageOf(alias));
    case "assignee":
      return ofSetting(clause, assigneeOf(filter, alias), settings.all.users);
    case "team":
      return ofSetting(clause, sql.ref(`${alias}.team`), settings.all.teams);
    case "mailbox":
      return ofSetting(clause, sql.ref(`${alias}.mailbox`), settings.all.mailboxes);
    case "channel":
      return ofSetting(clause, sql.ref(`${alias}.channel`), settings.all.channels);
    default:
      // the same for every row
      return constant(clause.holds(undefined));
  }
}

/** An answer about a row beside the one that is asked for; where there is none, its fields are missing. */
const beside = ({ sql: answer, faults }: Answer, row: RawBuilder<unknown>): Answer => ({
  sql: sql<SqlBool>`(select ${answer} from (select) as here left join lateral ${row} on true)`,
  faults,
});

/** The customer whom a conversation's own stands for now. */
const customerOf = (alias: string) => sql`(
  select f.* from customers f where f.lane = ${sql.ref(`${alias}.lane`)} and f.organization = ${sql.ref(`${alias}.organization`)}
    and f.id = ${survivorOf(alias)}) as filter_customer`;

const survivorOf = (alias: string) => sql`(
  select case when s.merged_into is null then s.id else (
    with recursive up(id, merged_into) as (
      select s.id, s.merged_into
      union all
      select n.id, n.merged_into from up join customers n on n.lane = s.lane and n.organization = s.organization and n.id = up.merged_into)
    select up.id from up where up.merged_into is null) end
  from customers s where s.lane = ${sql.ref(`${alias}.lane`)} and s.organization = ${sql.ref(`${alias}.organization`)}
    and s.id = ${sql.ref(`${alias}.customer`)})`;

const newestMessageOf = (alias: string) => sql`(
  select m.* from messages m where m.lane = ${sql.ref(`${alias}.lane`)} and m.organization = ${sql.ref(`${alias}.organization`)}
    and m.conversation = ${sql.ref(`${alias}.id`)} order by m.seq desc limit 1) as filter_message`;

/** Whose a conversation is, or else its customer. */
function assigneeOf({ subject }: Filter, alias: string): RawBuilder<unknown> {
  const own = sql.ref(`${alias}.assignee`);
  if (subject === "customer") return own;
  return sql`coalesce(${own}, (select filter_customer.assignee from ${customerOf(alias)}))`;
}

/** Settings are at hand: the clause is asked of each of them here, and of the row only which it names. */
function ofSetting(clause: FilterClause, named: RawBuilder<unknown>, rows: readonly { readonly id: string }[]): Answer {
  const missing = clause.holds(null);
  // what cannot be decided for one who is there
  const answers = rows.map((row) => ({ id: row.id, holds: clause.holds(row) }));
  const idsOf = (wanted: boolean | null) => answers.filter(({ holds }) => holds === wanted).map(({ id }) => id);
  const known = (wanted: boolean | null) => sql<SqlBool>`(${named} = any(${idsOf(wanted)}::uuid[]))`;
  const faults = idsOf(null).length > 0;
  if (!faults && missing === false) return { sql: sql<SqlBool>`(${known(true)} is true)`, faults: false };
  if (!faults) return { sql: sql<SqlBool>`(${known(false)} is not true)`, faults: false };
  return unsure(
    sql<SqlBool>`(case when ${known(true)} then true when ${known(false)} then false when ${known(null)} then null else ${missing === null ? undecided.sql : constant(missing).sql} end)`,
  );
}
