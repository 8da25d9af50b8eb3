import { Value } from "typebox/value";
import { describe, expect, test } from "vitest";
import {
  errorsMarkdown,
  isProblemCode,
  problem,
  Problem,
  problemOfRefusal,
  problems,
  retryAfterSeconds,
} from "./problems.ts";
import type { ProblemCode } from "./problems.ts";

const codes = Object.keys(problems) as ProblemCode[];

describe("the catalogue", () => {
  test.each(codes)("%s makes a valid problem", (code) => {
    const made = problem(code);
    expect(Value.Check(Problem, made)).toBe(true);
    expect(made).toEqual({
      type: `urn:threadmill:problem:${code}`,
      title: problems[code].title,
      status: problems[code].status,
      code,
      detail: problems[code].title,
    });
  });

  test("codes are snake_case, remedies are sentences", () => {
    for (const code of codes) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(problems[code].remedy).toMatch(/\.$/);
    }
  });

  test("what passes says when to try again, a mistake does not", () => {
    expect(retryAfterSeconds("shutting_down")).toBe(2);
    expect(retryAfterSeconds("invalid_input")).toBeUndefined();
    for (const code of codes) {
      if ([429, 503].includes(problems[code].status)) expect(retryAfterSeconds(code)).toBeGreaterThan(0);
    }
  });

  test("docs/errors.md is in step (update it with vitest -u)", async () => {
    await expect(errorsMarkdown()).toMatchFileSnapshot("../../../../docs/errors.md");
  });
});

test("a problem carries what it is told", () => {
  const items = [{ code: "required", path: "/name", message: "is missing" }];
  const made = problem("invalid_input", { detail: "Two fields are wrong", path: "/name", problems: items });
  expect(made).toMatchObject({ detail: "Two fields are wrong", path: "/name", problems: items });
  expect(Value.Check(Problem, made)).toBe(true);
});

describe("refusals of the core", () => {
  test.each([
    ["not_found", 404],
    ["conflict", 409],
    ["invalid", 422],
    ["forbidden", 403],
    ["limited", 429],
  ] as const)("%s answers %i under its own code", (kind, status) => {
    const made = problemOfRefusal({ kind, code: "conversation_merged", message: "It was merged" });
    expect(made).toMatchObject({ status, code: "conversation_merged", detail: "It was merged" });
    expect(Value.Check(Problem, made)).toBe(true);
  });

  test("a code of the catalogue keeps its own status and title", () => {
    const made = problemOfRefusal({ kind: "conflict", code: "phone_not_possible", message: "+1", path: "/phone" });
    expect(made).toMatchObject({ status: 422, title: problems.phone_not_possible.title, path: "/phone" });
  });

  test("names that every object has are no codes", () => {
    expect(isProblemCode("toString")).toBe(false);
    expect(problemOfRefusal({ kind: "conflict", code: "constructor", message: "no" }).status).toBe(409);
  });
});
