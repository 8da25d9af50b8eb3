import { findBadText } from "@threadmill/core";
import { problem, type Problem } from "./problems.ts";

/** The deepest nesting that a body may have: far beyond any use, and harmless to whoever walks it by recursion. */
export const mostLevels = 100;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** What reading a body gave. */
export type BodyRead =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly problem: Problem };

/** Reads a JSON body. An empty one is undefined: many commands need no input. */
export function readJson(bytes: Buffer): BodyRead {
  if (bytes.length === 0) return { ok: true, json: undefined };
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    return { ok: false, problem: problem("invalid_json", { detail: reasonOf(error), path: "" }) };
  }
  const fault = faultIn(json);
  return fault === null ? { ok: true, json } : { ok: false, problem: fault };
}

/** The problem of a value that is JSON but cannot be stored as it is: bad text, numbers beyond all bounds, depth. */
export function faultIn(json: unknown): Problem | null {
  const odd = oddity(json, "", 0);
  if (odd !== null) return problem("invalid_input", { detail: odd.message, path: odd.path, problems: [odd] });
  const bad = findBadText(json);
  return bad === null ? null : badTextProblem(bad);
}

/** The problem of a text that no table takes. */
export function badTextProblem(bad: { readonly path: string; readonly code: string }): Problem {
  const what = bad.code === "text_nul" ? "a NUL character" : "half of a surrogate pair";
  return problem("text_not_allowed", { detail: `The text holds ${what}`, path: bad.path });
}

interface Oddity {
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

function oddity(value: unknown, path: string, depth: number): Oddity | null {
  // "1e999" is valid JSON and becomes Infinity, which no JSON can say
  if (typeof value === "number" && !Number.isFinite(value))
    return { code: "number_too_large", path, message: "The number is too large" };
  if (typeof value !== "object" || value === null) return null;
  if (depth === mostLevels) return { code: "too_deep", path: "", message: `A body has at most ${mostLevels} levels` };
  for (const [key, item] of Object.entries(value)) {
    // such a field would vanish, or worse, when the object is copied
    if (key === "__proto__") return { code: "name_not_allowed", path, message: "No field may have the name __proto__" };
    if (typeof item !== "object" && typeof item !== "number") continue;
    const found = oddity(item, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

/** V8 quotes a piece of the text in its message; the position alone is enough, and safe to show. */
function reasonOf(error: unknown): string {
  if (!(error instanceof SyntaxError)) return "The body is not UTF-8";
  const at = /position (\d+)/.exec(error.message)?.[1];
  return at === undefined
    ? "The body is not one whole JSON document"
    : `The JSON breaks off or goes wrong at position ${at}`;
}
