import type { Comparand, Filter, FilterClause, FilterNode } from "@threadmill/core";

/** What finds a filter's rows: an index by its name, or null and a sentence that says what they are found by instead. */
export interface AnsweredBy {
  readonly index: string | null;
  readonly sentence: string;
}

/** What must hold for the whole to hold: the clauses that stand in nothing but `all`. */
export function necessary(node: FilterNode): readonly FilterClause[] {
  if (node.kind === "clause") return [node];
  return node.kind === "all" ? node.nodes.flatMap(necessary) : [];
}

const seeks = new Set<FilterClause["op"]>(["is", "in", "any_of"]);

/** Fields of which one value is rare enough to begin with it, by the index that has them. */
const selective: Readonly<Record<Filter["subject"], readonly (readonly [field: string, index: string])[]>> = {
  conversation: [
    ["id", "conversations_pkey"],
    ["customer", "conversations_by_customer"],
    ["merged_into", "conversations_by_merge"],
  ],
  customer: [
    ["id", "customers_pkey"],
    ["merged_into", "customers_by_merge"],
  ],
};

/** Tells which index answers a filter. */
export function indexFor({ subject, node }: Filter): AnsweredBy {
  const clauses = necessary(node).filter(({ path, match }) => path[0] === subject && match !== "none");
  for (const [field, index] of selective[subject]) {
    const found = clauses.find(({ path, op }) => path.length === 2 && path[1] === field && seeks.has(op));
    if (found !== undefined && wordsOf(found).length > 0)
      return { index, sentence: `The rows are found by ${subject}.${field}` };
  }
  const sentence = `No index answers this: every ${subject} is looked at, newest first, until a page is full. Ask also for one ${subject === "conversation" ? "status, assignee or team" : "address"}`;
  return { index: null, sentence };
}

/** The texts that a clause of equality looks for; empty where it is none. */
export function wordsOf({ op, right }: FilterClause): readonly string[] {
  if (!seeks.has(op) || right === null) return [];
  const rights = (op === "is" ? [right] : right) as readonly Comparand[];
  return rights.map(({ text }) => text);
}
