import { type Filter, type FilterClause, type FilterNode, fold } from "@threadmill/core";
import { type RawBuilder, sql, type SqlBool } from "kysely";
import { whereOf } from "../../filters/filter.ts";
import { type AnsweredBy, indexFor, necessary, wordsOf } from "../../filters/index-for.ts";

/** What a listing has of its conversation, under the same names. */
const columns = new Set(["id", "mailbox", "status", "assignee", "team", "waiting_since", "last_inbound_at"]);
/** Statuses that listings in use have; few rows, and an index of their own. */
const open = ["open", "pending", "snoozed"];

const isOwn = ({ path }: FilterClause): boolean =>
  path.length === 2 && path[0] === "conversation" && columns.has(path[1] as string);

const isOf = ({ path }: FilterClause, field: string): boolean =>
  path.length === 2 && path[0] === "conversation" && path[1] === field;

/** What a filter says of listings alone, with what finds them: necessary, and the filter says the rest. */
export interface Narrowed {
  readonly where: readonly RawBuilder<SqlBool>[];
  readonly index: AnsweredBy;
}

/** Narrows a filter to listings, which stand under an alias. */
export function narrow(filter: Filter, alias = "l"): Narrowed {
  const clauses = necessary(filter.node);
  const statuses = statusesOf(clauses);
  // the statuses that are left say all that was asked of them, once: said twice, the planner expects fewer rows
  const own = clauses
    .filter((clause) => isOwn(clause) && !asksForStatus(clause))
    .map((clause) => whereOf(filter, clause, alias).where);
  const tags = clauses.filter((clause) => isOf(clause, "tags") && clause.match !== "none");
  const tagged = tags.flatMap((clause) => taggedWith(clause, alias));
  const inUse = statuses !== null && statuses.every((status) => open.includes(status));
  const literal = statuses === null ? [] : [statusIn(statuses, alias)];
  return {
    where: [...literal, ...own, ...tagged],
    index: indexOf(filter, clauses, statuses, inUse, tagged.length > 0),
  };
}

const asksForStatus = (clause: FilterClause): boolean =>
  isOf(clause, "status") && wordsOf(clause).length > 0 && clause.match !== "none";

/** The statuses that are left by what a filter asks for; null for all. */
function statusesOf(clauses: readonly FilterClause[]): readonly string[] | null {
  const asked = clauses.filter(asksForStatus);
  const [first, ...rest] = asked.map((clause) => wordsOf(clause));
  if (first === undefined) return null;
  const known = ["open", "pending", "snoozed", "closed", "spam"];
  return known.filter((status) => first.includes(status) && rest.every((words) => words.includes(status)));
}

/** Written out, so that the planner sees that a partial index holds all of them. */
const statusIn = (statuses: readonly string[], alias: string): RawBuilder<SqlBool> =>
  statuses.length === 0
    ? sql<SqlBool>`false`
    : sql<SqlBool>`${sql.ref(`${alias}.status`)} in (${sql.join(statuses.map((status) => sql.lit(status)))})`;

/** Found by their tags, whatever their capitals: one of some, or each of them. */
function taggedWith(clause: FilterClause, alias: string): RawBuilder<SqlBool>[] {
  const { op, right } = clause;
  if (right === null) return [];
  const each =
    op === "all_of" ? (right as readonly { readonly text: string }[]).map(({ text }) => [text]) : [wordsOf(clause)];
  return each
    .filter((words) => words.length > 0)
    .map(
      (words) => sql<SqlBool>`exists (select from conversation_tags t
    where t.lane = ${sql.ref(`${alias}.lane`)} and t.organization = ${sql.ref(`${alias}.organization`)}
      and t.conversation = ${sql.ref(`${alias}.id`)} and t.tag = any(${words.map(fold)}::text[]))`,
    );
}

function indexOf(
  filter: Filter,
  clauses: readonly FilterClause[],
  statuses: readonly string[] | null,
  inUse: boolean,
  tagged: boolean,
): AnsweredBy {
  const found = indexFor(filter);
  if (found.index !== null) return found;
  if (tagged) return { index: "conversation_tags_pkey", sentence: "The rows are found by their tags" };
  if (inUse) {
    const byUser = clauses.some((clause) => isOf(clause, "assignee") && wordsOf(clause).length > 0);
    return byUser
      ? { index: "listings_by_assignee", sentence: "The rows are found by their assignee among those in use" }
      : { index: "listings_open", sentence: "The rows are found among those in use: open, pending and snoozed" };
  }
  if (statuses !== null && statuses.every((status) => !open.includes(status)))
    return { index: "listings_by_status", sentence: "The rows are found by their status" };
  return {
    index: null,
    sentence:
      "No index answers this: conversations are looked at in their order until a page is full. Ask for a status, an assignee of open ones or a tag as well",
  };
}

/**
 * Whether a filter asks for nothing but what listings are counted by, so that its count is known without a look at them.
 */
export function isCounted(node: FilterNode): boolean {
  if (node.kind === "not") return isCounted(node.node);
  if (node.kind !== "clause") return node.nodes.every(isCounted);
  const [root, field] = node.path;
  if (root === "conversation" && node.path.length === 2) {
    if (field === "waiting_since") return node.op === "is_set" || node.op === "is_not_set";
    return field === "mailbox" || field === "status" || field === "assignee" || field === "team";
  }
  return (
    root !== "customer" && root !== "message" && root !== "assignee" && root !== "channel" && root !== "conversation"
  );
}
