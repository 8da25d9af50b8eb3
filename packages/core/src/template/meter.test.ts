import { describe, expect, test } from "vitest";
import { compileCondition } from "../condition/compile.ts";
import { Missing } from "../domain/ledger.ts";
import { meterOf, scopeOf } from "../testing/scope.ts";
import { limits } from "./limits.ts";
import { AllowanceSpent } from "./meter.ts";
import { compileText } from "./text.ts";

const words = Array.from({ length: 8000 }, (_, n) => `w${n}`);
const roots = {
  list: words.map((word) => ({ word })),
  words,
  big: { inner: Object.fromEntries(words.map((word) => [word, word])) },
  text: "x".repeat(60_000),
  page: "x".repeat(5000),
  spaces: " ".repeat(60_000),
  smiles: "😀".repeat(30_000),
  zones: Intl.supportedValuesOf("timeZone"),
  days: Array.from({ length: 3000 }, (_, n) => `${String(3000 + n)}-06-01`),
  many: Array.from({ length: 9 }, (_, n) => `+0${n}:17`),
  path: "word" + ".x".repeat(5000),
};

/** Steps that a text takes; the fault's code where it does not come to its end. */
function stepsOf(source: string, steps = Number.MAX_SAFE_INTEGER): number | string {
  const result = compileText(source);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const meter = meterOf(steps);
  try {
    result.text.render(scopeOf(roots, { meter }));
  } catch (error) {
    return (error as { code: string }).code;
  }
  return meter.taken();
}

describe("a text pays for what is really done", () => {
  test.each([
    ["{{ list | map: path }}", "a path of thousands of steps"],
    ["{{ list | sort: path }}", "the same in a sort"],
    ["{% for z in zones %}{{ 'now' | date: '%F', z }}{% endfor %}", "hundreds of time zones"],
    ["{% for z in many %}{{ 'now' | date: '%F', z }}{% endfor %}", "more than a few"],
    ["{% for d in days %}{{ d | date: '%F' }}{% endfor %}", "days of distant years"],
    ["{% for i in (1..5000) %}{{ 'a' | remove: big }}{% endfor %}", "an object printed again and again"],
    ["{% for i in (1..5000) %}{% if words == words %}{% endif %}{% endfor %}", "lists compared"],
    ["{% for i in (1..5000) %}{% if text contains 'y' %}{% endif %}{% endfor %}", "a long text looked through"],
    ["{% for i in (1..5000) %}{% if text > text %}{% endif %}{% endfor %}", "long texts put in order"],
    ["{% for i in (1..5000) %}{% if spaces == blank %}{% endif %}{% endfor %}", "spaces counted"],
    ["{% for i in (1..5000) %}{% case text %}{% when text %}{% endcase %}{% endfor %}", "cases of long texts"],
    ["{% for i in (1..5000) %}{% for p in big.inner limit: 0 %}{% endfor %}{% endfor %}", "pairs of an object"],
    ["{% for i in (1..5000) %}{% assign n = big.inner.size %}{% endfor %}", "the size of an object"],
    ["{% for i in (1..5000) %}{% assign n = smiles.size %}{% endfor %}", "the size of a text"],
    ["{% for i in (1..5000) %}{% assign n = words | slice: 0, 8000 %}{% endfor %}", "parts of a list"],
    ["{% for i in (1..5000) %}{% assign n = words | uniq %}{% endfor %}", "a list without doubles"],
    ["{% for i in (1..5000) %}{% assign n = text | truncatewords: 3 %}{% endfor %}", "words counted"],
    ["{% for i in (1..5000) %}{% assign n = text | replace: 'y', 'z' %}{% endfor %}", "a text replaced"],
    ["{% for i in (1..5000) %}{% capture n %}{{ text }}{% endcapture %}{% endfor %}", "a text captured"],
  ])("%s runs away: %s", (source) => expect(stepsOf(source)).toBe("template_runaway"));

  test("an ordinary one takes little", () => {
    expect(stepsOf("Hi {{ customer.first_name | default: 'there' }}, we wrote on {{ 'now' | date }}.")).toBeLessThan(
      150,
    );
    expect(stepsOf("{{ list | map: 'word' | first }}")).toBeLessThan(20_000);
    expect(stepsOf("plain")).toBe(0);
  });

  test("and nobody sees what it would have taken beyond the allowance", () => {
    const source = "{% for i in (1..1000) %}{% endfor %}";
    const needs = stepsOf(source) as number;
    expect(stepsOf(source, needs)).toBe(needs);
    expect(stepsOf(source, needs - 1)).toBe("allowance");
    expect(needs).toBeLessThan(limits.steps);
  });
});

describe("a condition pays for what is really done", () => {
  function stepsOfTest(json: object, steps = Number.MAX_SAFE_INTEGER, act: "test" | "explain" | "nextChange" = "test") {
    const result = compileCondition(json);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const meter = meterOf(steps);
    const changes = [{ table: "customers", id: "c", before: { big: roots.big }, after: { big: roots.big } }];
    result.condition[act](scopeOf({ ...roots, customer: { id: "c" } }, { meter, changes }));
    return meter.taken();
  }

  test.each<[string, object, number]>([
    ["a short text", { field: "customer.id", op: "is", value: "x" }, 1],
    ["a long text", { field: "text", op: "contains", value: "y" }, 900],
    ["a list", { field: "words", op: "is", value: "y" }, 8000],
    ["a list by a list", { field: "words", op: "any_of", value: ["1", "2", "3", "4", "5"] }, 40_000],
    ["a regular expression", { field: "page", op: "matches", value: "a{900}" }, 280_000],
    ["words, which need none", { field: "text", op: "matches", value: "refund|money back" }, 1800],
    ["days of distant years", { field: "days", op: "gt", value: "9999-01-01" }, 3000],
    ["what changed", { field: "customer.big", op: "changed" }, 16_000],
  ])("%s", (_name, json, least) => {
    const taken = stepsOfTest(json);
    expect(taken).toBeGreaterThanOrEqual(least);
    expect(taken).toBeLessThan(least * 1.5 + 10);
    expect(() => stepsOfTest(json, taken - 1)).toThrow(AllowanceSpent);
  });

  test("in explaining and in looking ahead as well, and both end by it", () => {
    const json = { all: [{ field: "words", op: "in_last", value: "{{ '2' | append: 'h' }}" }] };
    expect(stepsOfTest(json, undefined, "nextChange")).toBeLessThan(8100);
    expect(() => stepsOfTest(json, 8000, "nextChange")).toThrow(AllowanceSpent);
    expect(() => stepsOfTest({ field: "words", op: "is", value: "y" }, 100, "explain")).toThrow(AllowanceSpent);
    expect(() => stepsOfTest({ field: "big", op: "is_set" }, 5, "explain")).toThrow(AllowanceSpent);
  });
});

test("a need passes through every evaluation", () => {
  const scope = scopeOf({});
  const lacking = {
    ...scope,
    root: () => {
      throw new Missing(["customers/1"]);
    },
  };
  const clauses = [
    { field: "customer.name", op: "is", value: "x" },
    { field: "customer.name", op: "changed" },
    { field: "customer.since", op: "in_last", value: "1h" },
  ];
  const late = { field: "now", op: "in_last", value: { ref: "customer.name" } };
  const only = { ...scope, root: (name: string | number) => (name === "now" ? scope.at : lacking.root()) };
  for (const [json, from] of [...clauses.map((clause) => [clause, lacking] as const), [late, only] as const]) {
    const result = compileCondition({ not: { any: [json] } });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(() => result.condition.test(from)).toThrow(Missing);
    expect(() => result.condition.explain(from)).toThrow(Missing);
    if (json.op === "in_last") expect(() => result.condition.nextChange(from)).toThrow(Missing);
  }
  const text = compileText("{{ customer.name | default: 'x' }}");
  expect(() => text.ok && text.text.render(lacking)).toThrow(Missing);
});
