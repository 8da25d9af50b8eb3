import { cut } from "../text/characters.ts";
import { membersOf } from "../model/json.ts";
import type { ConditionFault } from "./fault.ts";

/** Why a condition held or not: one node a clause or group, everything evaluated. */
export interface Explanation {
  /** an operator, or `all`, `any`, `not` */
  readonly op: string;
  readonly field?: string;
  /** what the field held; for operators of change `{before, after}`, null where nothing of it changed. Long values are cut */
  readonly actual?: unknown;
  readonly expected?: unknown;
  /** a sentence for people */
  readonly phrase?: string;
  readonly result: boolean | "error";
  /** what went wrong, where the result is "error" */
  readonly reason?: { readonly code: string; readonly path: string; readonly message: string };
  readonly children?: readonly Explanation[];
}

const longestText = 200;
const mostItems = 20;
const mostLevels = 4;

/** A value as an explanation keeps it: long texts and lists cut, deep ones closed with "...". Missing becomes null. */
export function shorten(value: unknown, level = 0): unknown {
  if (typeof value === "string") return value.length > longestText ? `${cut(value, longestText)}...` : value;
  if (typeof value !== "object" || value === null) return value ?? null;
  if (level === mostLevels) return "...";
  if (Array.isArray(value)) {
    const items = value.slice(0, mostItems).map((item) => shorten(item, level + 1));
    return value.length > mostItems ? [...items, "..."] : items;
  }
  const entries = membersOf(value as { readonly [name: string]: unknown });
  const some = entries.slice(0, mostItems).map(([name, item]) => [name, shorten(item, level + 1)] as const);
  if (entries.length > mostItems) some.push(["...", "..."]);
  return Object.fromEntries(some);
}

/** The outcome of evaluating something that may fault. */
export function outcome(
  test: () => boolean,
  located: (error: unknown) => ConditionFault,
): Pick<Explanation, "result" | "reason"> {
  try {
    return { result: test() };
  } catch (error) {
    const { code, path, message } = located(error);
    return { result: "error", reason: { code, path, message } };
  }
}

/**
 * The result of a group from its children's, as `test` finds it: in order, up to the first child that decides. A fault
 * behind that child was never reached, so it is shown and does not count.
 */
export function groupOutcome(
  children: readonly Explanation[],
  neutral: boolean,
): Pick<Explanation, "result" | "reason"> {
  const decisive = children.find((child) => child.result !== neutral);
  if (decisive === undefined) return { result: neutral };
  return decisive.reason === undefined ? { result: decisive.result } : { result: "error", reason: decisive.reason };
}
