import { membersOf } from "../model/json.ts";
import type { Scope } from "../template/scope.ts";
import { cut } from "../text/characters.ts";
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

/** Characters of a whole shortened value, where a number or a bracket counts as eight. */
const mostRoom = 2_000;

/** A value as an explanation shows it; the work of showing it is counted. */
export function shown(value: unknown, { meter }: Pick<Scope, "meter">): unknown {
  const room = { left: mostRoom };
  const short = shorten(value, room);
  meter.take((mostRoom - room.left) >> 4);
  return short;
}

/**
 * A value as an explanation keeps it: long texts and lists cut, deep ones and what finds no more room closed with "...".
 * Missing becomes null.
 */
function shorten(value: unknown, room: { left: number }, level = 0): unknown {
  if (room.left <= 0) return "...";
  room.left -= typeof value === "string" ? Math.min(value.length, longestText) : 8;
  if (typeof value === "string") return value.length > longestText ? `${cut(value, longestText)}...` : value;
  if (typeof value !== "object" || value === null) return value ?? null;
  if (level === mostLevels) return "...";
  if (Array.isArray(value)) {
    const items = value.slice(0, mostItems).map((item) => shorten(item, room, level + 1));
    return value.length > mostItems ? [...items, "..."] : items;
  }
  const entries = membersOf(value as { readonly [name: string]: unknown });
  const some = entries.slice(0, mostItems).map(([name, item]) => {
    room.left -= name.length;
    return [cut(name, longestText), shorten(item, room, level + 1)] as const;
  });
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
