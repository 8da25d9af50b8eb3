import { pointer, type Problem } from "../template/problem.ts";
import { countOf } from "../model/json.ts";
import type { Scope } from "../template/scope.ts";
import { fromMs, type Instant, lastMs } from "../time/instant.ts";
import { compileClause, type Work } from "./clause.ts";
import { groupOutcome, type Explanation } from "./explain.ts";
import { type FieldHint, type Node, soonest } from "./node.ts";
import type { FieldType } from "./operator.ts";
import { conditionLimits } from "./schema.ts";

/**
 * A condition, compiled to closures.
 *
 * What is missing (null, or not there), on either side, and an empty list or an empty text to look for:
 *
 *   operator                                  holds?
 *   is, contains, gt, in, any_of, is_set ...  no
 *   the same with match "all"                 no
 *   the same with match "none"                yes
 *   is_not, not_in, none_of, is_not_set ...   yes    (every negation is the true one: is_not is { not: is })
 *   is_empty                                  yes
 *   changed, changed_from, changed_to         compares null with the value
 *
 * What is there but of the wrong type (gt on "abc", contains on an object) is a fault, never "no".
 */
export interface Condition {
  /**
   * Whether it holds; in order, up to the clause that decides. Throws ConditionFault. Measured on the 2-core machine:
   * three clauses (is, contains, gt; all hold) take about 0.25 us; `matches` alone on 60 characters about 0.3 us.
   */
  readonly test: (scope: Scope) => boolean;
  /** Evaluates every clause and says what each found. Its result is what `test` answers, or "error" where that throws. */
  readonly explain: (scope: Scope) => Explanation;
  /**
   * The next instant after the scope's at which the clock alone may change the answer; null for never (MILL law 14). A
   * lower bound: it may still be the same then. Texts that ask for the time themselves are not looked into.
   */
  readonly nextChange: (scope: Scope) => Instant | null;
  /** paths of the scope that it reads */
  readonly reads: readonly string[];
  /** names of the operators that it uses */
  readonly operators: readonly string[];
  /** what must be so for it to hold, all of them together; for an index */
  readonly hints: readonly FieldHint[];
}

export interface ConditionOptions {
  /** where the condition stands in its document: a JSON pointer */
  readonly path?: string;
  /** the type of a field where it is known; an operator that does not suit it is then a problem */
  readonly fieldType?: (path: string) => FieldType | undefined;
}

export type ConditionResult =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Compiles the document form of a condition. Problems: `condition_invalid`, `condition_too_deep`, `condition_too_large`,
 * `operator_unknown`, `operator_unfit`, `field_invalid`, `value_missing`, `value_unexpected`, `value_invalid`,
 * `operand_invalid`, `regex_invalid`, `duration_...`, `template_...`.
 */
export function compileCondition(json: unknown, options: ConditionOptions = {}): ConditionResult {
  const work: Work = { problems: [], reads: new Set(), operators: new Set(), clauses: 0, fieldType: options.fieldType };
  const node = compileNode(json, options.path ?? "", 0, work);
  if (node === null) return { ok: false, problems: work.problems };
  const { test, explain, hints } = node;
  const nextChange = (scope: Scope): Instant | null => {
    const ms = node.nextChange(scope);
    return ms === null || ms > lastMs ? null : fromMs(ms);
  };
  return {
    ok: true,
    condition: { test, explain, nextChange, hints, reads: [...work.reads], operators: [...work.operators] },
  };
}

function compileNode(json: unknown, at: string, depth: number, work: Work): Node | null {
  const refuse = (code: string, message: string): null => {
    work.problems.push({ code, path: at, message });
    return null;
  };
  if (depth > conditionLimits.depth)
    return refuse("condition_too_deep", `a condition has at most ${conditionLimits.depth} levels`);
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return refuse("condition_invalid", "a condition is an object");
  const object = json as Readonly<Record<string, unknown>>;
  const group = ["all", "any", "not"].find((word) => Object.hasOwn(object, word));
  if (group === undefined) {
    work.clauses += 1;
    if (work.clauses > conditionLimits.clauses)
      return refuse("condition_too_large", `a condition has at most ${conditionLimits.clauses} clauses`);
    return compileClause(object, at, work);
  }
  if (countOf(object) > 1) return refuse("condition_invalid", `"${group}" stands alone`);
  const inner = object[group];
  if (group === "not") {
    const child = compileNode(inner, pointer(at, group), depth + 1, work);
    return child === null ? null : not(child);
  }
  if (!Array.isArray(inner)) return refuse("condition_invalid", `"${group}" is a list of conditions`);
  if (group === "any" && inner.length === 0) return refuse("condition_invalid", '"any" of nothing would never hold');
  const children: Node[] = [];
  for (const [index, one] of inner.entries()) {
    const child = compileNode(one, pointer(pointer(at, group), index), depth + 1, work);
    if (child !== null) children.push(child);
    if (work.clauses > conditionLimits.clauses) break;
  }
  if (children.length < inner.length) return null;
  return group === "all" ? all(children) : any(children);
}

/** `all` of nothing holds. */
function all(children: readonly Node[]): Node {
  return {
    test(scope) {
      for (const child of children) if (!child.test(scope)) return false;
      return true;
    },
    explain: (scope) => explainGroup("all", children, true, scope),
    nextChange: (scope) => soonest(children.map((child) => child.nextChange(scope))),
    hints: children.flatMap((child) => child.hints),
  };
}

function any(children: readonly Node[]): Node {
  return {
    test(scope) {
      for (const child of children) if (child.test(scope)) return true;
      return false;
    },
    explain: (scope) => explainGroup("any", children, false, scope),
    nextChange: (scope) => soonest(children.map((child) => child.nextChange(scope))),
    hints: children.length === 1 ? children[0]!.hints : [],
  };
}

function not(child: Node): Node {
  return {
    test: (scope) => !child.test(scope),
    explain(scope) {
      const inner = child.explain(scope);
      const turned =
        inner.result === "error" ? { result: inner.result, reason: inner.reason! } : { result: !inner.result };
      return { op: "not", ...turned, children: [inner] };
    },
    nextChange: child.nextChange,
    hints: [],
  };
}

function explainGroup(op: string, children: readonly Node[], neutral: boolean, scope: Scope): Explanation {
  const explained = children.map((child) => child.explain(scope));
  return { op, ...groupOutcome(explained, neutral), children: explained };
}
