import { lineAt, readSource } from "./source-text.ts";
import type { SourceFile } from "./imports.ts";

/** What packages/core may not do: look at a clock, draw a number, or touch the world around it. */
const impure: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\bDate\s*\.\s*now\b/g, "Date.now"],
  [/\bnew\s+Date\b(?!\s*\(\s*[^\s)])/g, "new Date without an argument"],
  [/(?<![\w$.]|\bnew\s+)Date\s*\(/g, "Date()"],
  [/\bTemporal\s*\.\s*Now\b/g, "Temporal.Now"],
  [/\bMath\s*\.\s*random\b/g, "Math.random"],
  [/\bperformance\s*\.\s*now\b/g, "performance.now"],
  [/(?<![\w$.])process\s*(?:\?\.|\.(?!\.)|\[)/g, "process."],
  [/(?<![\w$.])(?:setTimeout|setInterval|setImmediate)\b/g, "a timer"],
  [/(?<![\w$.])fetch\s*\(/g, "fetch("],
  [/(?<![\w$.])crypto\s*(?:\?\.|\.(?!\.))/g, "crypto."],
  [/(?<![\w$.])globalThis\b/g, "globalThis"],
  [/\bnew\s+Function\b|(?<![\w$.])eval\s*\(/g, "code from text"],
];

/** Where a file of packages/core is not pure, one line each; comments and strings do not count. */
export function purityProblems(file: SourceFile): string[] {
  const { code } = readSource(file.text);
  return impure.flatMap(([pattern, what]) =>
    [...code.matchAll(pattern)].map((match) => `${file.path}:${lineAt(code, match.index)}: ${what}`),
  );
}
