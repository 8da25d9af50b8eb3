import { pointer, type Problem as Located } from "../template/problem.ts";

export { pointer };

/** What is wrong with a workflow document. An error keeps it from being published, a warning does not. */
export interface Problem extends Located {
  readonly severity: "error" | "warning";
}

/** An error at a place of the document. */
export function error(code: string, path: string, message: string): Problem {
  return { code, path, message, severity: "error" };
}

/** A warning at a place of the document. */
export function warning(code: string, path: string, message: string): Problem {
  return { code, path, message, severity: "warning" };
}

/** What a part of the core found wrong, as errors of the document. */
export const asErrors = (found: readonly Located[]): Problem[] =>
  found.map(({ code, path, message }) => error(code, path, message));
