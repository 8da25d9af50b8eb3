import { Type } from "typebox";
import { expect, test } from "vitest";
import type { AnyCommand } from "../domain/define.ts";
import { refuse } from "../model/command.ts";
import { oneOf } from "../model/common.ts";
import { actionProblems } from "./action-check.ts";
import { settings } from "../testing/documents.ts";

const never = () => {
  throw new Error("not decided here");
};
const command = (more: Partial<AnyCommand>): AnyCommand => ({
  type: "thing.do",
  summary: "Does a thing",
  permission: "conversations.write",
  target: null,
  action: true,
  events: [],
  input: Type.Object({}, { additionalProperties: false }),
  needs: never,
  decide: never,
  ...more,
});
const check = (one: AnyCommand, input: { readonly [name: string]: unknown }) =>
  actionProblems({ action: one.type, input: input as never }, "/steps/a", {
    commands: new Map([[one.type, one]]),
    settings,
    triggers: [{ event: "user.presence_changed" }],
  }).map((problem) => `${problem.code} ${problem.path}`);

test("lists of names are looked at one by one, and what is written otherwise is left alone", () => {
  const teams = Type.Array(Type.Union([Type.String(), Type.Number()]));
  const listed = command({ input: Type.Object({ teams }) });
  expect(check(listed, { teams: ["billing", "sales", "{{ event.data.team }}", 3] })).toEqual([
    "reference_dangling /steps/a/input/teams/1",
  ]);
  expect(check(listed, { teams: { ref: "event.data.teams" } })).toEqual([]);
});

test("a word of the schema is no name", () => {
  const assignee = Type.Union([Type.String(), oneOf(["nobody", "owner"])]);
  const word = command({
    input: Type.Object({ assignee: Type.Optional(assignee), user: Type.Optional(Type.Literal("me")) }),
  });
  expect(check(word, { assignee: "nobody", user: "me" })).toEqual([]);
  expect(check(word, { assignee: "somebody" })).toEqual(["reference_dangling /steps/a/input/assignee"]);
});

test("a field that the schema leaves open is allowed", () => {
  expect(check(command({ input: Type.Object({}) }), { user: "who", more: 1 })).toEqual([]);
});

test("a target that is no matter of course may be left out", () => {
  const input = Type.Object({ conversation: Type.Optional(Type.String()) });
  expect(check(command({ target: "conversation", input }), {})).toEqual([]);
  const required = Type.Object({ conversation: Type.String() });
  expect(check(command({ target: "conversation", input: required }), {})).toEqual([
    "target_missing /steps/a/input/conversation",
  ]);
});

test("the command's own answer to a whole input is told", () => {
  const input = Type.Object({
    user: Type.String(),
    to: Type.Optional(Type.String()),
    copies: Type.Optional(Type.Array(Type.Integer(), { maxItems: 1 })),
  });
  const picky = (answer: unknown) => command({ target: "user", input, prepare: () => answer });
  expect(check(picky({ ok: true }), {})).toEqual([]);
  expect(check(picky(refuse("not_found", "x", "x", "/to")), { to: "x" })).toEqual([
    "reference_dangling /steps/a/input/to",
  ]);
  expect(check(picky(refuse("conflict", "x", "x")), {})).toEqual(["invalid_input /steps/a/input"]);
  expect(check(picky(refuse("conflict", "x", "x")), { to: "{{ user.name }}" })).toEqual([]);
  expect(
    check(picky(refuse("conflict", "x", "x")), { to: { ref: "user.name" }, copies: [{ ref: "x" }, { ref: "y" }] }),
  ).toEqual([]);
});
