import { brief } from "../text/characters.ts";
import { OperandFault } from "./fault.ts";
import { compare, readDate, readOrdered, type Ordered } from "./moment.ts";
import type { IndexHint, Operator } from "./operator.ts";

type End = "low" | "high";

/** Operators that compare by order: numbers with numbers, dates with dates. */
export const orderOperators = {
  gt: ordered("is greater than", "low", (order) => order > 0),
  gte: ordered("is at least", "low", (order) => order >= 0),
  lt: ordered("is less than", "high", (order) => order < 0),
  lte: ordered("is at most", "high", (order) => order <= 0),
  before: dated("is before", "high", (order) => order < 0),
  after: dated("is after", "low", (order) => order > 0),
  between: {
    label: "is between",
    phrase: "{field} is between {value}, both counted in",
    fields: ["number", "date"],
    value: "range",
    over: "items",
    prepare: prepareRange,
    test: (left, [low, high], scope) => compare(left, low, scope) >= 0 && compare(left, high, scope) <= 0,
    hint: ([low, high]) => range(low, high),
  } satisfies Operator<readonly [Ordered, Ordered]>,
};

function ordered(label: string, end: End, test: (order: number) => boolean): Operator<Ordered> {
  return {
    label,
    phrase: `{field} ${label} {value}`,
    fields: ["number", "date"],
    value: "number_or_date",
    over: "items",
    prepare: readOrdered,
    test: (left, right, scope) => test(compare(left, right, scope)),
    hint: (right) => (end === "low" ? range(right, null) : range(null, right)),
  };
}

function dated(label: string, end: End, test: (order: number) => boolean): Operator<Ordered> {
  return { ...ordered(label, end, test), fields: ["date"], value: "date", prepare: readDate };
}

function prepareRange(value: unknown): readonly [Ordered, Ordered] {
  if (!Array.isArray(value) || value.length !== 2) throw new OperandFault(`${brief(value)} is no pair [from, to]`);
  const low = readOrdered(value[0]);
  const high = readOrdered(value[1]);
  if ((low.type === "number") !== (high.type === "number"))
    throw new OperandFault("both ends are numbers, or both are dates");
  return [low, high];
}

/** Days give no range: where they begin depends on the zone. */
function range(low: Ordered | null, high: Ordered | null): IndexHint | null {
  if (low?.type === "day" || high?.type === "day") return null;
  const of = (low ?? high)!.type === "number" ? "number" : "date";
  return { kind: "range", of, low: endOf(low), high: endOf(high) };
}

function endOf(end: Exclude<Ordered, { type: "day" }> | null): number | null {
  if (end === null) return null;
  return end.type === "number" ? end.number : end.ms;
}
