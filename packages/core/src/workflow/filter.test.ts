import { expect, test } from "vitest";
import type { Json } from "../model/common.ts";
import { actors, ids, sampleIndex } from "../testing/settings.ts";
import { type FilterClause, type FilterNode, readFilter } from "./filter.ts";

const at = "2026-11-20T17:00:00.000Z";
const read = (
  json: Json,
  subject: "conversation" | "customer" = "conversation",
  user: string | null = actors.agent.id,
) => readFilter(json, { subject, settings: sampleIndex(), at, user, path: "/filter" });

function nodeOf(json: Json, ...more: ["customer"?]): FilterNode {
  const found = read(json, ...more);
  if (!found.ok) throw new Error(JSON.stringify(found.problems));
  return found.filter.node;
}
const codes = (json: Json, subject?: "customer") => {
  const found = read(json, subject);
  return found.ok ? [] : found.problems.map(({ code, path }) => [code, path]);
};

test("a condition becomes a tree in which names are ids and right sides are made ready", () => {
  const node = nodeOf({
    all: [
      { any: [{ field: "conversation.team", op: "is", value: "billing" }] },
      { not: { field: { ref: "conversation.tags" }, op: "any_of", value: ["a", null], exact: true } },
    ],
  });
  expect(node).toMatchObject({
    kind: "all",
    nodes: [
      {
        kind: "any",
        nodes: [{ op: "is", path: ["conversation", "team"], match: "any", right: { text: ids.teams.billing } }],
      },
      {
        kind: "not",
        node: {
          op: "any_of",
          at: "/filter/all/1/not",
          path: ["conversation", "tags"],
          exact: true,
          right: [{ text: "a" }],
        },
      },
    ],
  });
});

test("what a clause compares with may read who looks, the organization, a calendar and the time, and nothing of the row", () => {
  const right = (value: Json) => (nodeOf({ field: "conversation.assignee", op: "is", value }) as FilterClause).right;
  expect(right({ ref: "user.id" })).toMatchObject({ text: ids.users.ben });
  expect(right("{{ organization.name }}")).toMatchObject({ text: "acme" });
  expect(right({ ref: "now" })).toMatchObject({ text: at.toLowerCase() });
  const nobody = read({ field: "conversation.assignee", op: "is", value: { ref: "user.id" } }, "conversation", null);
  expect(nobody).toMatchObject({ ok: true, filter: { node: { right: null } } });
  expect(codes({ field: "conversation.assignee", op: "is", value: { ref: "customer.assignee" } })).toEqual([
    ["filter_value", "/filter/value"],
  ]);
  expect(codes({ field: "conversation.inbound_count", op: "longer_than", value: "{{ organization.name }}" })).toEqual([
    ["operator_unfit", "/filter/op"],
  ]);
  expect(codes({ field: "conversation.subject", op: "longer_than", value: "{{ organization.name }}" })).toEqual([
    ["operand_invalid", "/filter/value"],
  ]);
});

test.each<[string, Json, [string, string][]]>([
  ["a field that is not there", { field: "conversation.colour", op: "is_set" }, [["field_unknown", "/filter"]]],
  ["a root that a list does not have", { field: "steps.a.b", op: "is_set" }, [["reference_out_of_scope", "/filter"]]],
  ["a whole row", { field: "conversation", op: "is_set" }, [["field_invalid", "/filter/field"]]],
  ["what changed", { field: "conversation.status", op: "changed" }, [["operator_unfit", "/filter"]]],
  [
    "a pattern that is more than words",
    { field: "conversation.subject", op: "matches", value: "a.*b" },
    [["filter_pattern", "/filter/value"]],
  ],
  [
    "a team that is not there",
    { field: "conversation.team", op: "is", value: "nowhere" },
    [["reference_dangling", "/filter/value"]],
  ],
  ["what is no condition", { all: 5 }, [["condition_invalid", "/filter"]]],
])("%s is a problem", (_, json, problems) => {
  expect(codes(json)).toEqual(problems);
});

test("an archived team can be asked for, words can be looked for, and customers have no conversation", () => {
  expect(codes({ field: "conversation.team", op: "is", value: ids.teams.former })).toEqual([]);
  expect(codes({ field: "conversation.subject", op: "not_matches", value: "refund|money back" })).toEqual([]);
  expect(codes({ field: "conversation.id", op: "is_set" }, "customer")).toEqual([
    ["reference_out_of_scope", "/filter"],
  ]);
});

test("a clause says what it holds for one of the settings, and the whole filter for a row", () => {
  const { holds } = nodeOf({ field: "team.slug", op: "longer_than", value: 7 }) as FilterClause;
  expect([holds({ slug: "billing" }), holds({ slug: "billing-2" }), holds(null), holds({ slug: [{}] })]).toEqual([
    false,
    true,
    false,
    null,
  ]);
  const fixed = nodeOf({ field: "user.name", op: "is", value: "ben" }) as FilterClause;
  expect(fixed.holds(undefined)).toBe(true);
  const found = read(
    {
      all: [
        { field: "now", op: "gt", value: "2026-01-01" },
        { field: "customer.state", op: "is", value: "closed" },
      ],
    },
    "customer",
  );
  const state = (value: string) =>
    found.ok && found.filter.test((name) => (name === "customer" ? { state: value } : null));
  expect([state("closed"), state("replied")]).toEqual([true, false]);
});

test("what throws while a clause is asked, and is no fault of the condition, is thrown on", () => {
  const { holds } = nodeOf({ field: "team.slug", op: "is", value: "x" }) as FilterClause;
  const broken = new Proxy(
    {},
    {
      getOwnPropertyDescriptor: () => {
        throw new Error("gone");
      },
    },
  );
  expect(() => holds(broken)).toThrow("gone");
});
