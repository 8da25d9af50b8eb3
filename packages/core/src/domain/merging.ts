import { type Refusal, refuse } from "../model/command.ts";
import type { Id, Instant, Properties } from "../model/common.ts";
import { membersOf, namesOf } from "../model/json.ts";
import type { Guards } from "../model/watch.ts";
import { maxProperties } from "./properties.ts";

/** Two rows that become one, as they stand before; the target stands for both. */
export interface Pair<Row> {
  readonly target: Row;
  readonly source: Row;
  /** how many automated messages the guard looks back on */
  readonly sendsKept: number;
}

/** What becomes of one field in a merge: in words, and in fact. */
export interface Rule<Row, Value> {
  readonly says: string;
  readonly merge: (target: Value, source: Value, pair: Pair<Row>) => Value;
}

/** What becomes of every field of a noun when one row of it is merged into another. */
export type MergeTable<Row> = { readonly [Field in keyof Row]-?: Rule<Row, Row[Field]> };

/** The target as a merge leaves it: its fields by the table. */
export function merged<Row extends object>(table: MergeTable<Row>, pair: Pair<Row>): Row {
  const out: Partial<Row> = {};
  for (const field of namesOf(table) as (keyof Row & string)[]) {
    out[field] = table[field].merge(pair.target[field], pair.source[field], pair);
  }
  return out as Row;
}

const ofTwo = (a: Instant | null, b: Instant | null, better: (a: Instant, b: Instant) => boolean): Instant | null => {
  if (a === null || b === null) return a ?? b;
  return better(a, b) ? a : b;
};

export const own = { says: "the target's own", merge: <V>(target: V): V => target };
export const filled = {
  says: "the target's own; the source's where it has none",
  merge: <V>(target: V, source: V): V => target ?? source,
};
export const sum = { says: "those of both", merge: (target: number, source: number): number => target + source };
export const earliest = {
  says: "the earlier of both",
  merge: (target: Instant | null, source: Instant | null) => ofTwo(target, source, (a, b) => a < b),
};
export const latest = {
  says: "the later of both",
  merge: (target: Instant | null, source: Instant | null) => ofTwo(target, source, (a, b) => a > b),
};

export const properties = {
  says: `those of both; the target's where both have one; ${maxProperties} at most`,
  merge(target: Properties, source: Properties): Properties {
    const others = membersOf(source).filter(([name]) => !Object.hasOwn(target, name));
    // where there are too many, the target's own stay
    return Object.fromEntries([...membersOf(target), ...others].slice(0, maxProperties));
  },
};

/** What has fired for either has fired; where both fired, the anchor that the merged row still has. */
export function mergedFired<Row extends { readonly fired: Fired }>(table: MergeTable<Row>, pair: Pair<Row>): Fired {
  const { target, source } = { target: pair.target.fired, source: pair.source.fired };
  const anchors = new Set<unknown>();
  for (const field of namesOf(table) as (keyof Row & string)[]) {
    if (field !== "fired" && field !== "wake_at")
      anchors.add(table[field].merge(pair.target[field], pair.source[field], pair));
  }
  const fired: Record<Id, Instant> = { ...source, ...target };
  for (const [workflow, anchor] of membersOf(source)) {
    if (anchors.has(anchor) && !anchors.has(target[workflow])) fired[workflow] = anchor;
  }
  return inOrder(fired);
}
type Fired = { readonly [workflow: Id]: Instant };

/** Counters add up; those of an older day count no more. */
export function mergedGuards(target: Guards | null, source: Guards | null, kept: number): Guards | null {
  if (target === null || source === null) return target ?? source;
  const day = target.day > source.day ? target.day : source.day;
  const today = [target, source].filter((guards) => guards.day === day);
  const withheld = today.some((guards) => guards.withheld !== undefined);
  return {
    day,
    runs: sums(today.map((guards) => guards.runs)),
    ...(withheld && { withheld: sums(today.map((guards) => guards.withheld ?? {})) }),
    sends: [...target.sends, ...source.sends].sort().slice(-kept),
  };
}

function sums(maps: readonly { readonly [workflow: Id]: number }[]): Record<Id, number> {
  const total: Record<Id, number> = {};
  for (const map of maps) for (const [id, count] of membersOf(map)) total[id] = (total[id] ?? 0) + count;
  return inOrder(total);
}

/** A map by id in the order of the ids, whichever row came first. */
const inOrder = <V>(map: Readonly<Record<Id, V>>): Record<Id, V> => Object.fromEntries(membersOf(map));

/** More runs than this are not moved by one decision (MILL law 2): they are cancelled or waited for first. */
export const maxMovedRuns = 500;

/** Says that too many runs wait for what is to be merged. */
export const tooManyRuns = (count: number, path: string): Refusal =>
  refuse(
    "limited",
    "too_many_waiting_runs",
    `${count} runs wait here; at most ${maxMovedRuns} move with a merge`,
    path,
  );
