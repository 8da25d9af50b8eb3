import { describe, expect, test } from "vitest";
import { actors, ids, testId } from "../../testing/settings.ts";
import { type Scene, scene } from "../../testing/scene.ts";
import { key } from "../keys.ts";
import { isAvailable, statusOf } from "./availability.ts";

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
      [["user.presence_changed", { user: users.ben }, [], { before: null, after: "online", by: "hand" }]],
    ],
    [{ ok: true, result: { user: users.ben, changed: false } }, []],
    [
      { ok: true, result: { user: users.ben, changed: true } },
      [["user.presence_changed", { user: users.ben }, [], { before: "online", after: "away", by: "hand" }]],
    ],
  ]);
  expect(set.ledger.get(key.presence(users.ben))).toEqual({
    user_id: users.ben,
    status: "away",
    since: set.now(),
    chosen: "away",
    seen: null,
  });
});

describe("what is seen and what is said", () => {
  const say = (set: Scene, status: string, user: string = users.ben) =>
    set.issue("user.set_presence", { user, status });
  const see = (set: Scene, status: string, user: string = users.ben) =>
    set.issue("user.set_presence", { user, status, by: "connections" }, { actor: actors.system });
  const told = ({ events }: ReturnType<typeof say>) => events.map(({ data }) => data?.["after"]);
  const row = (set: Scene, user: string = users.ben) => set.ledger.get(key.presence(user));

  test("what was said counts until it is taken back, and what was seen meanwhile is known then", () => {
    const set = scene();
    expect(told(see(set, "online"))).toEqual(["online"]);
    expect(told(say(set, "away"))).toEqual(["away"]);
    expect(told(see(set, "offline"))).toEqual([]);
    expect(row(set)).toMatchObject({ status: "away", chosen: "away", seen: "offline" });
    expect(told(say(set, "automatic"))).toEqual(["offline"]);
    expect(row(set)).toMatchObject({ status: "offline", chosen: null, seen: "offline" });
    expect(told(see(set, "offline"))).toEqual([]);
  });

  test("an instant is kept while the status is the same", () => {
    const set = scene();
    see(set, "online");
    const { since } = row(set) as { since: string };
    say(set, "online");
    expect(row(set)).toMatchObject({ since, chosen: "online" });
  });

  test("an assistant is there unless it is said otherwise, whatever is seen of it", () => {
    const set = scene();
    expect(told(say(set, "offline", users.aria))).toEqual(["offline"]);
    expect(told(say(set, "automatic", users.aria))).toEqual(["online"]);
    expect(told(see(set, "offline", users.aria))).toEqual([]);
    expect(statusOf("person", { chosen: null, seen: null })).toBe("offline");
    expect([isAvailable("assistant", null), isAvailable("person", null), isAvailable("person", "online")]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("only the system tells what is seen, and that is no taking back", () => {
    const input = { user: users.ben, status: "online", by: "hours" };
    expect(scene().issue("user.set_presence", input).answer).toMatchObject({ code: "presence_is_seen" });
    const unclear = { ...input, status: "automatic" };
    expect(scene().issue("user.set_presence", unclear, { actor: actors.system }).answer).toMatchObject({
      code: "presence_unclear",
    });
  });
});

test.each([
  { input: { user: "x", status: "online" }, code: "user_not_found" },
  { input: { user: users.dan, status: "online" }, code: "user_archived" },
  { input: { user: users.ben, status: "asleep" }, code: "invalid_input" },
  { input: { user: testId(999), status: "online" }, code: "user_not_found" },
])("is refused: $code", ({ input, code }) => {
  expect(scene().issue("user.set_presence", input)).toMatchObject({ answer: { ok: false, code }, events: [] });
});

test("of an archived asker is refused", () => {
  expect(
    scene().issue("user.set_presence", { user: users.ben, status: "online" }, { actor: actors.archived }).answer,
  ).toMatchObject({ kind: "forbidden" });
});
