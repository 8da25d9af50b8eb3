import { compileCondition, type ConditionResult } from "../condition/compile.ts";
import { ConditionFault, OperandFault } from "../condition/fault.ts";
import { type OperatorName, operators } from "../condition/operators.ts";
import type { MatchWord } from "../condition/schema.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Id, Instant, Json } from "../model/common.ts";
import { type Root, rootNamed } from "../run/roots.ts";
import type { Meter } from "../template/meter.ts";
import { parsePath, type Path } from "../template/path.ts";
import { pointer, TemplateFault } from "../template/problem.ts";
import type { Scope } from "../template/scope.ts";
import { compileValue, referencePath, type Value } from "../template/value.ts";
import { resolveNames } from "./condition-names.ts";
import { fieldTypes } from "./fields.ts";
import { asErrors, error, type Problem } from "./problem.ts";
import { readProblems } from "./reads.ts";

/** What the things are that a filter picks out. */
export type FilterSubject = "conversation" | "customer";

/** One clause of a filter: what it compares is read and made ready. */
export interface FilterClause {
  readonly kind: "clause";
  /** a JSON pointer to it */
  readonly at: string;
  readonly op: OperatorName;
  readonly path: Path;
  readonly match: MatchWord;
  readonly exact: boolean;
  /** the right side as the operator's `prepare` made it; null where there is nothing to compare with */
  readonly right: unknown;
  /** Whether it holds where its field's root is this value; null where it cannot be decided. */
  readonly holds: (root: unknown) => boolean | null;
}

/** A condition as a tree, for whatever asks it of a database instead of a row in memory. */
export type FilterNode =
  | FilterClause
  | { readonly kind: "all" | "any"; readonly nodes: readonly FilterNode[] }
  | { readonly kind: "not"; readonly node: FilterNode };

/** A condition that picks rows out of many, checked and made ready. */
export interface Filter {
  readonly subject: FilterSubject;
  readonly node: FilterNode;
  /** the instant that `now`, `in_last` and the like mean */
  readonly at: Instant;
  readonly settings: SettingsIndex;
  /** Whether it holds for the row in a scope whose roots these are. Throws ConditionFault where that cannot be decided. */
  readonly test: (roots: (name: string | number) => unknown) => boolean;
}

export interface FilterOptions {
  readonly subject: FilterSubject;
  readonly settings: SettingsIndex;
  readonly at: Instant;
  /** whom `user` means: who looks; null for nobody */
  readonly user: Id | null;
  /** where the condition stands in its document: a JSON pointer */
  readonly path?: string;
}

export type FilterResult =
  | { readonly ok: true; readonly filter: Filter }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Roots that are the same for every row: what a clause compares with may read these alone. */
const fixedRoots = ["organization", "user", "calendar", "now"] as const;
const rowRoots: Readonly<Record<FilterSubject, readonly string[]>> = {
  conversation: ["customer", "conversation", "message", "assignee", "team", "channel", "mailbox"],
  customer: ["customer", "assignee"],
};

const unlimited: Meter = { left: () => Number.POSITIVE_INFINITY, take() {} };

/**
 * Reads a condition as a filter over conversations or customers: the same fields and operators as everywhere, checked
 * the same way. `message` is a conversation's newest; `user` is who looks. What is compared with is written down or reads
 * the organization, the user, a calendar or the time. Beside the usual problems: `filter_value` (it reads the row),
 * `filter_pattern` (a pattern that is more than words: a database reads patterns by other rules), `field_invalid` (a
 * whole row, where a filter needs one of its fields).
 */
export function readFilter(json: Json, options: FilterOptions): FilterResult {
  const { subject, settings, path = "" } = options;
  const named: Problem[] = [];
  const resolved = resolveNames(json, settings, path, named);
  const compiled = compileCondition(resolved, { path, fieldType: fieldTypes(settings) });
  // what is archived stands in rows of before: such a name is as good as any here
  const problems = named.filter(({ code }) => code !== "reference_archived");
  if (!compiled.ok) return { ok: false, problems: [...problems, ...asErrors(compiled.problems)] };
  const { condition } = compiled;
  const place = { roots: new Set([...fixedRoots, ...rowRoots[subject]]), run: null, changes: false };
  problems.push(...readProblems(condition.reads, place, path, settings));
  if (condition.operators.some((name) => name.startsWith("changed")))
    problems.push(error("operator_unfit", path, "Only the condition of an event trigger knows what changed"));
  if (problems.length > 0) return { ok: false, problems };
  const fixed = fixedScope(options);
  const node = nodeOf(resolved, path, { problems, fixed });
  if (problems.length > 0) return { ok: false, problems };
  const test: Filter["test"] = (roots) =>
    condition.test({ ...fixed, root: (name) => (isFixed(name) ? fixed.root(name) : roots(name)) });
  return { ok: true, filter: { subject, node, at: options.at, settings, test } };
}

const isFixed = (name: string | number): boolean => fixedRoots.some((one) => one === name);

/** What is the same for every row, loaded as everywhere. */
function fixedScope({ settings, at, user }: FilterOptions): Scope {
  const origin = { refs: user === null ? {} : { user }, at, event: null, run: null };
  const scope: Scope = {
    changes: [],
    at,
    zone: settings.organization.zone,
    meter: unlimited,
    root: (name) =>
      isFixed(name)
        ? (rootNamed(name) as Root).load(origin, { ledger: undefined as never, settings }, scope)
        : undefined,
  };
  return scope;
}

interface Work {
  readonly problems: Problem[];
  readonly fixed: Scope;
}

type Members = Readonly<Record<string, Json>>;

/** The tree of a condition that is known to be sound. */
function nodeOf(json: Json, at: string, work: Work): FilterNode {
  const object = json as Members;
  for (const kind of ["all", "any"] as const) {
    const inner = object[kind] as readonly Json[] | undefined;
    if (inner === undefined) continue;
    const list = pointer(at, kind);
    return { kind, nodes: inner.map((one, index) => nodeOf(one, pointer(list, index), work)) };
  }
  if (object["not"] !== undefined) return { kind: "not", node: nodeOf(object["not"], pointer(at, "not"), work) };
  return clauseOf(object, at, work);
}

function clauseOf(json: Members, at: string, work: Work): FilterClause {
  const op = json["op"] as OperatorName;
  const exact = json["exact"] === true;
  const field = json["field"] as Json;
  const path = (typeof field === "string" ? parsePath(field) : referencePath(field)) as Path;
  const root = path[0] as string;
  if (path.length === 1 && !isFixed(root))
    work.problems.push(error("field_invalid", pointer(at, "field"), `Name a field of ${root}, such as ${root}.id`));
  const right = rightOf(json, op, exact, at, work);
  const match = (json["match"] ?? "any") as MatchWord;
  if ((op === "matches" || op === "not_matches") && right !== null && (right as { words: unknown }).words === null)
    work.problems.push(
      error("filter_pattern", pointer(at, "value"), "A list can look for words, written as refund|money back"),
    );
  return { kind: "clause", at, op, path, match, exact, right, holds: holdsOf(json, root, work.fixed) };
}

/** The right side, made ready once for all rows. */
function rightOf(json: Members, op: OperatorName, exact: boolean, at: string, { problems, fixed }: Work): unknown {
  const operator = operators[op];
  if (operator.value === "none") return operator.prepare(null, exact);
  const value = compileValue(json["value"]) as Value & { ok: true };
  const path = pointer(at, "value");
  const reads = value.reads.map((read) => (parsePath(read) as Path)[0] as string);
  const own = reads.find((root) => !isFixed(root));
  if (own !== undefined) {
    const message = `A list's condition compares with what is written down, or with ${fixedRoots.join(", ")}; not with ${own}`;
    problems.push(error("filter_value", path, message));
    return null;
  }
  try {
    const found = value.resolve(fixed);
    return found === null || found === undefined ? null : operator.prepare(found, exact);
  } catch (fault) {
    if (!(fault instanceof OperandFault || fault instanceof TemplateFault)) throw fault;
    problems.push(error(fault.code, path, fault.message));
    return null;
  }
}

/** The clause alone, for what is looked up in memory and not in the database: settings, the organization, the time. */
function holdsOf(json: Members, own: string, fixed: Scope): FilterClause["holds"] {
  const compiled = compileCondition(json) as ConditionResult & { ok: true };
  return (root) => {
    try {
      return compiled.condition.test({
        ...fixed,
        root: (name) => (name === own && !isFixed(name) ? root : fixed.root(name)),
      });
    } catch (fault) {
      if (fault instanceof ConditionFault) return null;
      throw fault;
    }
  };
}
