import { namesOf } from "../model/json.ts";
import { formatPath, parsePath, type Path } from "../template/path.ts";
import { pointer, type Problem } from "../template/problem.ts";
import { referencePath } from "../template/value.ts";
import { brief } from "../text/characters.ts";
import { didYouMean } from "../text/nearest.ts";
import { outcome, shown } from "./explain.ts";
import { changeSide, fieldSide, hasChanges } from "./left-side.ts";
import type { Node } from "./node.ts";
import type { FieldType, Operator } from "./operator.ts";
import { isOperatorName, operatorNames, operators } from "./operators.ts";
import { compileRight, located, type RightSide } from "./right-side.ts";
import { matchWords, type MatchWord } from "./schema.ts";

/** What compiling a condition gathers. */
export interface Work {
  readonly problems: Problem[];
  readonly reads: Set<string>;
  readonly operators: Set<string>;
  clauses: number;
  fieldType?: ((path: string) => FieldType | undefined) | undefined;
}

const knownNames = ["field", "op", "value", "exact", "match"];

/** Everything about a clause that is known once it is compiled. */
interface Parts {
  readonly at: string;
  readonly name: string;
  readonly operator: Operator;
  readonly path: Path;
  readonly match: MatchWord;
  readonly right: RightSide;
}

/** Compiles a clause, or answers null and leaves problems in `work`. */
export function compileClause(json: Readonly<Record<string, unknown>>, at: string, work: Work): Node | null {
  const before = work.problems.length;
  const problem = (code: string, key: string | null, message: string) =>
    void work.problems.push({ code, path: key === null ? at : pointer(at, key), message });
  for (const key of namesOf(json))
    if (!knownNames.includes(key))
      problem("condition_invalid", key, `a clause has no "${key}"${didYouMean(key, knownNames)}`);
  const name = json.op;
  if (!isOperatorName(name)) {
    problem("operator_unknown", "op", `there is no operator ${brief(name)}${didYouMean(name, operatorNames)}`);
    return null;
  }
  const operator = operators[name];
  const path = fieldPath(json.field);
  if (path === null) problem("field_invalid", "field", "a field is a path such as customer.properties.plan");
  else checkField(path, operator, name, work, problem);
  const exact = json.exact ?? false;
  if (typeof exact !== "boolean") problem("condition_invalid", "exact", "exact is true or false");
  else if (exact && operator.exact === undefined) problem("condition_invalid", "exact", `"${name}" compares no texts`);
  const match = json.match ?? "any";
  if (!matchWords.includes(match as MatchWord)) problem("condition_invalid", "match", "match is any, all or none");
  else if (json.match !== undefined && operator.over !== "items")
    problem("condition_invalid", "match", `"${name}" does not go over single items`);
  const right = compileRight(json, at, operator, exact === true);
  if ("problems" in right) work.problems.push(...right.problems);
  else for (const read of right.reads) work.reads.add(read);
  if (path === null || "problems" in right || work.problems.length > before) return null;
  work.operators.add(name);
  work.reads.add(formatPath(path));
  return build({ at, name, operator, path, match: match as MatchWord, right });
}

type Report = (code: string, key: string | null, message: string) => void;

function fieldPath(json: unknown): Path | null {
  if (typeof json === "string") return parsePath(json);
  const path = referencePath(json);
  return path === "bad" ? null : path;
}

function checkField(path: Path, operator: Operator, name: string, work: Work, problem: Report): void {
  if (operator.over === "change" && !hasChanges(path)) {
    problem("field_invalid", "field", `"${name}" takes a field of customer, conversation or message`);
  }
  const type = work.fieldType?.(formatPath(path));
  if (type !== undefined && !operator.fields.includes(type)) {
    problem("operator_unfit", "op", `"${name}" does not suit a field of type ${type}`);
  }
}

function build({ at, name, operator, path, match, right }: Parts): Node {
  const left =
    operator.over === "change" ? changeSide(path, operator, right) : fieldSide(path, operator, right, match === "all");
  // "none" is the negation of "any", and a negated operator that of its base; both together cancel out
  const flip = (match === "none") !== (operator.negated === true);
  const field = formatPath(path);
  return {
    test(scope) {
      try {
        return left.holds(scope) !== flip;
      } catch (error) {
        throw located(error, at);
      }
    },
    explain(scope) {
      const expected = shown(right.shown(scope), scope);
      const result = outcome(
        () => left.holds(scope) !== flip,
        (error) => located(error, at),
      );
      const actual = shown(left.shown(scope), scope);
      const phrase = operator.phrase.replace("{field}", () => field).replace("{value}", () => brief(expected));
      const sides = operator.value === "none" ? { actual } : { actual, expected };
      return { op: name, field, ...sides, phrase, ...result };
    },
    nextChange(scope) {
      try {
        return left.nextChange?.(scope) ?? null;
      } catch (error) {
        // a right side that cannot be had: the clock alone does not mend it, and it may not even be asked for
        located(error, at);
        return null;
      }
    },
    hints: hintsOf(operator, right, match, field),
  };
}

/** What holds for no item, or where the operator is turned around, says nothing about what must be there. */
function hintsOf(operator: Operator, right: RightSide, match: MatchWord, field: string): Node["hints"] {
  if (!right.fixed || match === "none") return [];
  const hint = operator.hint?.(right.ready(undefined as never)) ?? null;
  return hint === null ? [] : [{ ...hint, field }];
}
