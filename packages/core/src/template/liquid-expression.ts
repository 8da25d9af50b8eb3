import type { FilteredValueToken, Token, Tokenizer } from "liquidjs";
import { TypeGuards } from "liquidjs";
import { cut } from "../text/characters.ts";
import { namesOf } from "../model/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { filters } from "./filters.ts";
import { compileOperand, refuse, type Names, type Operand } from "./liquid-operand.ts";
import { order, same, spend, toText, truthy, type Frame, type Read } from "./liquid-value.ts";
import { limits } from "./limits.ts";

const binary: Readonly<Record<string, (a: Operand, b: Operand) => Read>> = {
  "==": equality,
  "!=": (a, b) => {
    const equal = equality(a, b);
    return (frame) => !equal(frame);
  },
  ">": (a, b) => (frame) => order(a.read(frame), b.read(frame), frame) > 0,
  "<": (a, b) => (frame) => order(a.read(frame), b.read(frame), frame) < 0,
  ">=": (a, b) => (frame) => order(a.read(frame), b.read(frame), frame) >= 0,
  "<=": (a, b) => (frame) => order(a.read(frame), b.read(frame), frame) <= 0,
  and: (a, b) => (frame) => truthy(a.read(frame)) && truthy(b.read(frame)),
  or: (a, b) => (frame) => truthy(a.read(frame)) || truthy(b.read(frame)),
  contains: (a, b) => (frame) => contains(a.read(frame), b.read(frame), frame),
};

function equality(a: Operand, b: Operand): Read {
  if (b.is !== undefined) return (frame) => b.is!(pay(a.read(frame), frame));
  if (a.is !== undefined) return (frame) => a.is!(pay(b.read(frame), frame));
  return (frame) => same(a.read(frame), b.read(frame), frame);
}

function contains(whole: unknown, part: unknown, frame: Frame): boolean {
  if (typeof whole === "string") {
    spend(frame, whole.length >> 6);
    return part !== null && part !== undefined && whole.includes(toText(part, frame));
  }
  if (!Array.isArray(whole)) return false;
  spend(frame, whole.length);
  return whole.some((item) => same(item, part, frame));
}

/** Compiles `value | filter: argument | ...` from where the tokenizer stands up to its end. */
export function compileExpression(tokenizer: Tokenizer, names: Names, at: Token): Read {
  checkBrackets(tokenizer, at);
  const token = tokenizer.readFilteredValue();
  expectEnd(tokenizer, at);
  return compileFiltered(token, names);
}

/** Reads and compiles the single value that stands next: a variable, literal or range. Brackets must have been checked. */
export function compileNext(tokenizer: Tokenizer, names: Names): { read: Read; token: Token } {
  const token = tokenizer.readValueOrThrow();
  return { token, read: compileOperand(token, names).read };
}

/** Refuses what is left over behind a complete tag. */
export function expectEnd(tokenizer: Tokenizer, at: Token): void {
  tokenizer.skipBlank();
  if (!tokenizer.end()) refuse(at, `unexpected "${cut(tokenizer.remaining(), 30)}"`);
}

/** Deep brackets would exhaust the stack inside the tokenizer, at a depth that depends on the machine. */
export function checkBrackets(tokenizer: Tokenizer, at: Token): void {
  let depth = 0;
  for (const letter of tokenizer.remaining()) {
    if (letter === "[" || letter === "(") depth += 1;
    else if (letter === "]" || letter === ")") depth -= 1;
    if (depth > limits.depth) refuse(at, `more than ${limits.depth} brackets inside each other`);
  }
}

function compileFiltered(token: FilteredValueToken, names: Names): Read {
  if (token.initial.postfix.length > limits.expression)
    refuse(token, `more than ${limits.expression} values and operators in one expression`);
  if (token.filters.length > limits.filters) refuse(token, `more than ${limits.filters} filters in a row`);
  const stack: Operand[] = [];
  for (const part of token.initial.postfix) {
    if (!TypeGuards.isOperatorToken(part)) {
      stack.push(compileOperand(part, names));
      continue;
    }
    const right = stack.pop();
    if (part.operator === "not" && right !== undefined) {
      stack.push({ read: (frame) => !truthy(right.read(frame)) });
      continue;
    }
    const left = stack.pop();
    if (left === undefined || right === undefined) return refuse(part, `"${part.operator}" lacks a value`);
    stack.push({ read: binary[part.operator]!(left, right) });
  }
  // The tokenizer takes "a b" and drops b: an author who wrote that meant something else.
  if (stack.length !== 1) refuse(token, "two values stand side by side without an operator");
  return token.filters.reduce<Read>((read, filter) => compileFilter(filter, read, names), stack[0]!.read);
}

function compileFilter(token: FilteredValueToken["filters"][number], input: Read, names: Names): Read {
  const filter = Object.hasOwn(filters, token.name)
    ? filters[token.name]!
    : refuse(token, `undefined filter "${token.name}"${didYouMean(token.name, namesOf(filters))}`);
  const [least, most] = filter.takes;
  const args: Operand[] = [];
  const named: Operand[] = [];
  for (const arg of token.args) {
    if (!Array.isArray(arg)) args.push(compileOperand(arg, names));
    else if (arg[1] === undefined || arg[0] !== filter.named)
      refuse(token, `the filter "${token.name}" takes no "${arg[0]}"`);
    else named.push(compileOperand(arg[1], names));
  }
  if (args.length < least || args.length > most) {
    refuse(
      token,
      `the filter "${token.name}" takes ${least === most ? least : `${least} to ${most}`} values, not ${args.length}`,
    );
  }
  // The named value, if any, follows the places of the others.
  while (named.length > 0 && args.length < most) args.push({ fixed: { value: null }, read: () => null });
  args.push(...named.slice(-1));
  const run = filter.run;
  if (args.every((arg) => arg.fixed !== undefined)) {
    const values = args.map((arg) => arg.fixed?.value);
    return (frame) => run(pay(input(frame), frame), values, frame);
  }
  return (frame) =>
    run(
      pay(input(frame), frame),
      args.map((arg) => pay(arg.read(frame), frame)),
      frame,
    );
}

/** What a filter is given costs a step, and one more for every 16 characters. Lists are paid for where they are walked. */
function pay(input: unknown, frame: Frame): unknown {
  spend(frame, typeof input === "string" ? 1 + (input.length >> 4) : 1);
  return input;
}
