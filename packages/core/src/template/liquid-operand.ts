import { TypeGuards, type PropertyAccessToken, type Token } from "liquidjs";
import { countOf } from "../model/json.ts";
import { countCharacters } from "../text/characters.ts";
import { storable } from "../text/unicode.ts";
import { type Frame, isBlank, isEmpty, spend, toNumber, type Read } from "./liquid-value.ts";
import { limits } from "./limits.ts";
import { formatPath, isIndex, isPath, readKey, type Path } from "./path.ts";
import { TemplateFault } from "./problem.ts";

/** The names a text uses, resolved to slots of the frame while it is compiled. */
export interface Names {
  /** loop variables in scope, the innermost last */
  readonly loops: { readonly name: string; readonly slot: number }[];
  /** variables that `assign` or `capture` sets anywhere in the text */
  readonly assigned: ReadonlyMap<string, number>;
  /** paths of the scope that the text reads */
  readonly reads: Set<string>;
}

/** One operand of an expression, compiled. */
export interface Operand {
  readonly read: Read;
  /** set where the value is written down in the text */
  readonly fixed?: { readonly value: string | number | boolean | null };
  /** set where it is the word `empty` or `blank`, which mean something only beside `==` and `!=` */
  readonly is?: (value: unknown) => boolean;
}

/** Refuses the text at a token: thrown while compiling, caught by `compileText`. */
export function refuse(token: Token, message: string, code = "template_invalid"): never {
  const [line, column] = token.getPosition();
  throw new TemplateFault(code, `${message} (line ${line}, column ${column})`);
}

const literals: Readonly<Record<string, Operand>> = {
  true: fixed(true),
  false: fixed(false),
  nil: fixed(null),
  null: fixed(null),
  empty: { ...fixed(""), is: isEmpty },
  blank: { ...fixed(""), is: isBlank },
};

function fixed(value: string | number | boolean | null): Operand {
  return { fixed: { value }, read: () => value };
}

/** Compiles a literal, range or variable. */
export function compileOperand(token: Token, names: Names): Operand {
  if (TypeGuards.isLiteralToken(token)) return literals[token.literal]!;
  // written as an escape, it would slip past the check of the document
  if (TypeGuards.isQuotedToken(token) && storable(token.content) !== token.content)
    return refuse(token, "the text holds a character that cannot be kept");
  if (TypeGuards.isNumberToken(token) || TypeGuards.isQuotedToken(token) || TypeGuards.isWordToken(token)) {
    return fixed(token.content);
  }
  if (TypeGuards.isRangeToken(token)) return { read: compileRange(token.lhs, token.rhs, names) };
  // The tokenizer knows one kind more, groups in brackets, which are switched off.
  const { variable, props } = token as PropertyAccessToken;
  return { read: compileAccess(variable, props, token, names) };
}

/** Counts first and builds by index: a range between huge numbers, where n + 1 is n, must end too. */
function compileRange(from: Token, to: Token, names: Names): Read {
  const low = compileOperand(from, names).read;
  const high = compileOperand(to, names).read;
  return (frame) => {
    const first = Math.trunc(toNumber(low(frame)));
    const count = Math.max(0, Math.trunc(toNumber(high(frame))) - first + 1);
    spend(frame, count);
    return Array.from({ length: count }, (_, at) => first + at);
  };
}

function compileAccess(base: Token | undefined, props: readonly Token[], token: Token, names: Names): Read {
  if (props.length > limits.pathSteps) refuse(token, `more than ${limits.pathSteps} steps in one path`);
  const keys = props.map((prop) => compileOperand(prop, names));
  let read = base === undefined ? compileRoot(keys, token, names) : compileOperand(base, names).read;
  for (const key of base === undefined ? keys.slice(1) : keys) {
    const inner = read;
    const name = key.fixed?.value;
    read =
      key.fixed === undefined
        ? (frame) => member(inner(frame), key.read(frame), frame)
        : (frame) => member(inner(frame), name, frame);
  }
  return read;
}

function compileRoot(keys: readonly Operand[], token: Token, names: Names): Read {
  const name = keys[0]!.fixed?.value;
  if (typeof name !== "string") return refuse(token, "a variable begins with a name");
  const loop = names.loops.findLast((one) => one.name === name);
  if (loop !== undefined) return (frame) => frame.slots[loop.slot];
  const slot = names.assigned.get(name);
  if (slot === undefined) {
    const path = knownSteps(keys);
    if (!isPath(path)) return refuse(token, `a path has at most ${limits.pathLength} characters`);
    names.reads.add(formatPath(path));
    return (frame) => frame.scope.root(name);
  }
  return (frame) => (frame.slots[slot] === undefined ? frame.scope.root(name) : frame.slots[slot]);
}

/** The steps up to the first that is known only when the text is rendered. */
function knownSteps(keys: readonly Operand[]): Path {
  const steps: (string | number)[] = [];
  for (const key of keys) {
    const value = key.fixed?.value;
    if (typeof value !== "string" && !isIndex(value)) break;
    steps.push(value);
  }
  return steps;
}

/** One step into a value: own properties, list indexes from either end, and `size`, `first` and `last`. */
export function member(value: unknown, key: unknown, frame: Frame): unknown {
  if (typeof key !== "string" && typeof key !== "number") return undefined;
  if (typeof value === "string") {
    if (key !== "size") return undefined;
    spend(frame, value.length >> 4);
    return countCharacters(value);
  }
  if (Array.isArray(value)) {
    if (key === "size") return value.length;
    if (key === "first") return value[0];
    if (key === "last") return value.at(-1);
    return readKey(value, typeof key === "number" && key < 0 ? value.length + key : key);
  }
  const own = readKey(value, key);
  if (own !== undefined || key !== "size" || typeof value !== "object" || value === null) return own;
  const length = countOf(value);
  spend(frame, length >> 2);
  return length;
}
