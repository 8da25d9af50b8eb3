import { expect, test } from "vitest";
import { purityProblems } from "./purity.ts";

/** What is impure in a text, without the place. */
function found(text: string): string[] {
  return purityProblems({ path: "a.ts", text }).map((line) => line.replace(/^a\.ts:\d+: /, ""));
}

test.each([
  ["Date.now()", "Date.now"],
  ["new Date()", "new Date without an argument"],
  ["new Date( )", "new Date without an argument"],
  ["new Date;", "new Date without an argument"],
  ["Date()", "Date()"],
  ["Temporal.Now.instant()", "Temporal.Now"],
  ["Math.random()", "Math.random"],
  ["performance.now()", "performance.now"],
  ["process.env", "process."],
  ["process?.env", "process."],
  ["setTimeout(f, 1)", "a timer"],
  ["setInterval(f, 1)", "a timer"],
  ["fetch(url)", "fetch("],
  ["crypto.randomUUID()", "crypto."],
  ["globalThis.process", "globalThis"],
  ["new Function('a')", "code from text"],
  ["eval(text)", "code from text"],
])("%s is not pure", (text, what) => {
  expect(found(text)).toEqual([what]);
});

test.each([
  "new Date(at)",
  "new Date(Date.parse(at))",
  "type A = Date",
  "a instanceof Date",
  "process(organization, items)",
  "options.process.a",
  "[...process]",
  "store.fetch(id)",
  "prefetch(id)",
  "retrieval(id)",
  "// Date.now() would break replay",
  "'fetch(' + `process.env`",
])("%s is pure", (text) => {
  expect(found(text)).toEqual([]);
});

test("a problem names its line", () => {
  expect(purityProblems({ path: "a.ts", text: "\n\nMath.random()" })).toEqual(["a.ts:3: Math.random"]);
});
