import { Type } from "typebox";
import { expect, test } from "vitest";
import type { AnyCommand } from "../domain/define.ts";
import { eventTypes } from "../domain/events.ts";
import { commands } from "../domain/registry.ts";
import { listActions, listAnchors, listTriggers } from "./actions.ts";

test("the actions are the registry's commands that a workflow may issue", () => {
  const expected = [...commands.values()].filter((one) => one.action).map((one) => one.type);
  expect(listActions().map((one) => one.type)).toEqual(expected.toSorted());
  for (const action of listActions()) {
    const { summary, permission, events } = commands.get(action.type)!;
    expect(action).toMatchObject({ summary, permission, events });
    expect(action.input.required ?? []).not.toContain(action.target);
  }
});

test("an action's input is JSON Schema, its target may be left out, its references are known", () => {
  const close = listActions().find((one) => one.type === "conversation.close")!;
  expect(JSON.parse(JSON.stringify(close.input))).toMatchObject({
    type: "object",
    additionalProperties: false,
    properties: { conversation: { type: "string" } },
  });
  const assign = listActions().find((one) => one.type === "conversation.assign")!;
  expect(assign.references).toEqual({ user: "user", team: "team" });
});

test("a target that is no field, and an input that is open", () => {
  const base = { ...commands.get("conversation.close")!, target: "run" } as AnyCommand;
  const open = { ...base, type: "a.open", target: "user", input: Type.Object({ user: Type.String() }) } as AnyCommand;
  const [first, second] = listActions(
    new Map([
      ["a.open", open],
      [base.type, base],
    ]),
  );
  expect(first!.input).toEqual(Type.Object({ user: Type.Optional(Type.String()) }));
  expect(second!.input).toBe(base.input);
});

test("the triggers are the events, the anchors the instants of their subjects", () => {
  expect(listTriggers().map((one) => one.event)).toEqual(Object.keys(eventTypes));
  expect(listTriggers()[0]).toEqual({ event: "customer.created", ...eventTypes["customer.created"] });
  const names = listAnchors().map((one) => `${one.subject}.${one.field}`);
  expect(names).toContain("conversation.waiting_since");
  expect(names).toContain("customer.created_at");
  expect(names).not.toContain("conversation.status");
});
