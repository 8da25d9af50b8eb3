import { expect, test } from "vitest";
import { key } from "../keys.ts";
import { actors, ids, memoryWorld, sampleIndex, sampleSettings, scene, testId } from "../../testing/index.ts";

const row = (status: string) => ({
  id: testId(900),
  kind: "message.deliver",
  order_key: "k",
  key: testId(900),
  payload: {},
  run: null,
  refs: {},
  due_at: "2026-01-01T00:00:00.000Z",
  attempt: 3,
  created_at: "2026-01-01T00:00:00.000Z",
  status,
  lease_until: null,
  last_error: { code: "x", message: "y" },
});

const world = (status: string) => {
  const made = memoryWorld({});
  made.rows.set(key.effect(testId(900)), row(status));
  return made;
};

test("a dead effect is due again, under its old key and another attempt", () => {
  const stage = scene({ world: world("dead"), settings: sampleIndex() });
  const decision = stage.issue("effect.retry", { effect: testId(900) });
  expect(decision.answer).toEqual({ ok: true, result: { effect: testId(900), changed: true } });
  expect(stage.ledger.peek(key.effect(testId(900)))).toMatchObject({
    status: "due",
    attempt: 4,
    key: testId(900),
    lease_until: null,
  });
});

test("one that is due is left alone, and one that is gone is not found", () => {
  const stage = scene({ world: world("due"), settings: sampleIndex() });
  expect(stage.issue("effect.retry", { effect: testId(900) }).answer).toEqual({
    ok: true,
    result: { effect: testId(900), changed: false },
  });
  expect(stage.issue("effect.retry", { effect: testId(901) }).answer).toMatchObject({
    ok: false,
    code: "effect_not_found",
  });
});

test("one whose customer was erased stays dead: nothing is left to be sent", () => {
  const made = world("dead");
  made.rows.set(key.effect(testId(900)), { ...row("dead"), last_error: { code: "customer_erased", message: "" } });
  const stage = scene({ world: made, settings: sampleIndex() });
  expect(stage.issue("effect.retry", { effect: testId(900) }).answer).toMatchObject({ code: "customer_erased" });
});

test("one of a conversation out of reach, or that is gone, is not found by who may not see it", () => {
  const settings = sampleIndex({
    mailboxes: sampleSettings.mailboxes.map((each) => ({ ...each, access: "members" as const })),
    users: sampleSettings.users.map((each) => (each.id === ids.users.ben ? { ...each, role: "supervisor" } : each)),
  });
  const made = world("dead");
  made.rows.set(key.effect(testId(901)), { ...row("dead"), id: testId(901), refs: { conversation: testId(1) } });
  const stage = scene({ world: made, settings, actor: actors.agent });
  expect(stage.issue("effect.retry", { effect: testId(901) }).answer).toMatchObject({ code: "effect_not_found" });
  expect(stage.issue("effect.retry", { effect: testId(901) }, { actor: actors.admin }).answer).toMatchObject({
    ok: true,
  });
});
