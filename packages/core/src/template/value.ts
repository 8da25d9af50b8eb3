import { limits } from "./limits.ts";
import { countOf } from "../model/json.ts";
import { compilePath, formatPath, isPath, parsePath, type Path } from "./path.ts";
import { pointer, type Problem, TemplateFault } from "./problem.ts";
import type { Scope } from "./scope.ts";
import { compileText, isLiquid } from "./text.ts";

/**
 * A value of a document, compiled. A value is a literal, a Liquid text (a string with `{{` or `{%`), a reference
 * `{ "ref": "steps.lookup.customer.id" }` or `{ "ref": ["steps", "x.y", "id"] }`, or an object or list of values.
 * A reference keeps the type of what it finds and is null where it finds nothing, at the top as inside.
 */
export interface Value {
  /** true where the value is written down: then `resolve` answers the same frozen object each time and never looks at the scope */
  readonly static: boolean;
  /** paths of the scope that it reads, as `formatPath` writes them */
  readonly reads: readonly string[];
  /** The value for a scope. Objects of the scope are handed on as they are, not copied. Throws TemplateFault. */
  resolve(scope: Scope): unknown;
}

export type ValueResult =
  | ({ readonly ok: true } & Value)
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What a value may still grow to while it is resolved. */
interface Room {
  left: number;
}
type Part = { readonly fixed: unknown } | { readonly resolve: (scope: Scope, room: Room) => unknown };
interface Work {
  readonly problems: Problem[];
  readonly reads: Set<string>;
}

/** Compiles a value; `path` says where it stands in its document. Problems: `value_invalid`, `template_invalid`, `template_runaway`. */
export function compileValue(json: unknown, path = ""): ValueResult {
  const work: Work = { problems: [], reads: new Set() };
  const part = compilePart(json, path, 0, work);
  if (work.problems.length > 0) return { ok: false, problems: work.problems };
  const reads = [...work.reads];
  if ("fixed" in part) return { ok: true, static: true, reads, resolve: () => part.fixed };
  return { ok: true, static: false, reads, resolve: (scope) => part.resolve(scope, { left: limits.valueLength }) };
}

/** The paths of the scope that a compiled text or value reads, sorted, for analysis and validation. */
export function variables(compiled: { readonly reads: readonly string[] }): string[] {
  return compiled.reads.toSorted();
}

/** The path of a reference object; null where the value is none; "bad" where it tries to be one. */
export function referencePath(json: unknown): Path | "bad" | null {
  if (typeof json !== "object" || json === null || !Object.hasOwn(json, "ref") || countOf(json) !== 1) return null;
  const { ref } = json as { ref: unknown };
  if (typeof ref === "string") return parsePath(ref) ?? "bad";
  return Array.isArray(ref) && isPath(ref) ? ref : "bad";
}

function compilePart(json: unknown, path: string, depth: number, work: Work): Part {
  if (depth > limits.valueDepth) return refuse(work, path, `a value has at most ${limits.valueDepth} levels`);
  if (typeof json === "string") return isLiquid(json) ? compileString(json, path, work) : { fixed: json };
  if (json === null || typeof json === "boolean" || (typeof json === "number" && Number.isFinite(json)))
    return { fixed: json };
  if (typeof json !== "object") return refuse(work, path, "a value is JSON");
  const reference = referencePath(json);
  if (reference === "bad")
    return refuse(work, path, "a reference is a path such as steps.lookup.customer.id, or a list of its steps");
  if (reference !== null) {
    work.reads.add(formatPath(reference));
    const read = compilePath(reference);
    return { resolve: (scope, room) => fitted(read(scope) ?? null, scope, room) };
  }
  return Array.isArray(json) ? compileList(json, path, depth, work) : compileObject(json, path, depth, work);
}

function refuse(work: Work, path: string, message: string): Part {
  work.problems.push({ code: "value_invalid", path, message });
  return { fixed: null };
}

function compileString(source: string, path: string, work: Work): Part {
  const result = compileText(source, path);
  if (!result.ok) {
    work.problems.push(...result.problems);
    return { fixed: null };
  }
  for (const read of result.text.reads) work.reads.add(read);
  return { resolve: (scope, room) => fitted(result.text.render(scope), scope, room) };
}

/** A part that was read, within what a value may come to. */
function fitted(value: unknown, { meter }: Scope, room: Room): unknown {
  const before = room.left;
  fill(value, room, 0);
  meter.take((before - room.left) >> 6);
  return value;
}

function fill(value: unknown, room: Room, level: number): void {
  room.left -= typeof value === "string" ? value.length : 8;
  if (room.left < 0)
    throw new TemplateFault("template_runaway", `the value grows beyond ${limits.valueLength} characters`);
  if (typeof value !== "object" || value === null) return;
  if (level === limits.valueLevels)
    throw new TemplateFault("template_runaway", `the value has more than ${limits.valueLevels} levels`);
  if (Array.isArray(value)) for (const item of value) fill(item, room, level + 1);
  else
    for (const [name, item] of Object.entries(value)) {
      room.left -= name.length;
      fill(item, room, level + 1);
    }
}

const resolvePart = (part: Part, scope: Scope, room: Room): unknown =>
  "fixed" in part ? part.fixed : part.resolve(scope, room);

function compileList(json: readonly unknown[], path: string, depth: number, work: Work): Part {
  const parts = json.map((item, at) => compilePart(item, pointer(path, at), depth + 1, work));
  if (parts.every((part) => "fixed" in part)) return { fixed: Object.freeze(parts.map((part) => part.fixed)) };
  return { resolve: (scope, room) => parts.map((part) => resolvePart(part, scope, room)) };
}

function compileObject(json: object, path: string, depth: number, work: Work): Part {
  const parts: (readonly [string, Part])[] = [];
  for (const [key, item] of Object.entries(json)) {
    // Writing this key would change the object's prototype.
    if (key === "__proto__") refuse(work, pointer(path, key), "this name is not allowed");
    else parts.push([key, compilePart(item, pointer(path, key), depth + 1, work)]);
  }
  const build = (scope: Scope, room: Room) => {
    const result: Record<string, unknown> = {};
    for (const [key, part] of parts) result[key] = resolvePart(part, scope, room);
    return result;
  };
  return parts.every(([, part]) => "fixed" in part)
    ? { fixed: Object.freeze(build(undefined as never, { left: 0 })) }
    : { resolve: build };
}
