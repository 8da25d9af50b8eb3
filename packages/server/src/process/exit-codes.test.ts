import { constants } from "node:os";
import { expect, test } from "vitest";
import { exitCode, exitCodes, exitCodesMarkdown } from "./exit-codes.ts";
import { nodeVersionProblem } from "./node-version.ts";

test("numbers are unique, and those of signals are 128 + the signal", () => {
  const numbers = Object.values(exitCodes).map(({ code }) => code);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(exitCode("interrupted")).toBe(128 + constants.signals.SIGINT);
  expect(exitCode("terminated")).toBe(128 + constants.signals.SIGTERM);
  expect(exitCode("schema_newer")).toBe(6);
});

test("the documentation lists each", () => {
  for (const name of Object.keys(exitCodes)) expect(exitCodesMarkdown()).toContain(` ${name}: `);
});

test("an old Node gets a sentence", () => {
  expect(nodeVersionProblem("22.18.0")).toContain("needs Node 24");
  expect(nodeVersionProblem("24.0.0")).toBeUndefined();
  expect(nodeVersionProblem("100.1.0")).toBeUndefined();
});
