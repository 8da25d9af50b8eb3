import { expect, test } from "vitest";
import { actors, ids } from "../../testing/settings.ts";
import { scene } from "../../testing/scene.ts";
import { key } from "../keys.ts";

const { users } = ids;

test("presence is told with before and after, once", () => {
  const set = scene();
  const events = (["online", "online", "away"] as const).map((status) =>
    set.issue("user.set_presence", { user: "ben@acme.test", status }),
  );
  expect(
    events.map(({ answer, events: told }) => [
      answer,
      told.map(({ type, refs, changes, data }) => [type, refs, changes, data]),
    ]),
  ).toEqual([
    [
      { ok: true, result: { user: users.ben, changed: true } },
      [["user.presence_changed", { user: users.ben }, [], { before: null, after: "online" }]],
    ],
    [{ ok: true, result: { user: users.ben, changed: false } }, []],
    [
      { ok: true, result: { user: users.ben, changed: true } },
      [["user.presence_changed", { user: users.ben }, [], { before: "online", after: "away" }]],
    ],
  ]);
  expect(set.ledger.get(key.presence(users.ben))).toEqual({ user_id: users.ben, status: "away", since: set.now() });
});

test.each([
  { input: { user: "x", status: "online" }, code: "user_not_found" },
  { input: { user: users.dan, status: "online" }, code: "user_archived" },
  { input: { user: users.ben, status: "asleep" }, code: "invalid_input" },
])("is refused: $code", ({ input, code }) => {
  expect(scene().issue("user.set_presence", input)).toMatchObject({ answer: { ok: false, code }, events: [] });
});

test("of an archived asker is refused", () => {
  expect(
    scene().issue("user.set_presence", { user: users.ben, status: "online" }, { actor: actors.archived }).answer,
  ).toMatchObject({ kind: "forbidden" });
});
