import { expect, test } from "vitest";
import type { Accepted } from "../../model/command.ts";
import type { Note } from "../../model/note.ts";
import { scene } from "../../testing/scene.ts";
import { actors, testId } from "../../testing/settings.ts";
import { customerRow, memoryWorld } from "../../testing/world.ts";
import { blankChange } from "../blank.ts";
import { key } from "../keys.ts";

const [ann, twin, erased] = [301, 302, 303].map(testId) as [string, string, string];
const stage = () =>
  scene({
    world: memoryWorld({
      customers: [
        customerRow({ id: ann }),
        customerRow({ id: twin, merged_into: ann }),
        customerRow({ id: erased, erased_at: "2026-10-01T00:00:00.000Z" }),
      ],
    }),
  });
const noted = (on: ReturnType<typeof stage>, options = {}, customer = ann): string =>
  (on.issue("customer.add_note", { customer, text: "likes tea" }, options).answer as Accepted).result["note"] as string;

test("a note stands on the customer who stands for the one that is named, and says who wrote it", () => {
  const on = stage();
  const { answer, events } = on.issue(
    "customer.add_note",
    { customer: twin, text: "likes tea" },
    { actor: actors.agent },
  );
  expect(answer).toMatchObject({ ok: true, result: { customer: ann } });
  const id = (answer as Accepted).result["note"] as string;
  expect(on.ledger.get<Note>(key.note(id))).toMatchObject({
    customer: ann,
    author: actors.agent.id,
    text: "likes tea",
    automated: false,
    removed_at: null,
  });
  expect(events).toMatchObject([
    { type: "customer.note_added", refs: { customer: ann }, changes: [{ table: "notes", id }] },
  ]);
  expect(on.ledger.get<Note>(key.note(noted(on, { actor: actors.workflow })))).toMatchObject({ automated: true });
  expect(on.issue("customer.add_note", { customer: ann, text: " " }).answer).toMatchObject({ code: "note_empty" });
  expect(on.issue("customer.add_note", { customer: erased, text: "x" }).answer).toMatchObject({
    code: "customer_erased",
  });
});

test("its words are changed by who wrote it alone, and the log keeps what stood there", () => {
  const on = stage();
  const note = noted(on, { actor: actors.agent });
  const edit = (text: string, actor: object = actors.agent) =>
    on.issue("customer.edit_note", { note, text }, { actor: actor as typeof actors.agent });
  expect(edit("x", actors.admin).answer).toMatchObject({ kind: "forbidden", code: "not_the_author" });
  expect(edit(" ").answer).toMatchObject({ code: "note_empty" });
  expect(edit("likes tea")).toMatchObject({ answer: { result: { changed: false } }, events: [] });
  const { answer, events } = edit("likes coffee");
  expect(answer).toMatchObject({ result: { note, customer: ann, changed: true } });
  const [change] = events[0]?.changes ?? [];
  expect(change).toMatchObject({ before: { text: "likes tea" }, after: { text: "likes coffee", edited_at: on.now() } });
  expect(JSON.stringify(blankChange(change as NonNullable<typeof change>))).not.toContain("likes");
});

test("it is taken away by who wrote it, or by who may erase customers", () => {
  const on = stage();
  const remove = (note: string, actor: typeof actors.agent | typeof actors.admin) =>
    on.issue("customer.remove_note", { note }, { actor });
  const note = noted(on);
  expect(remove(note, actors.agent).answer).toMatchObject({ code: "not_the_author" });
  expect(remove(note, actors.admin).events).toMatchObject([
    { type: "customer.note_removed", changes: [{ before: { text: "likes tea" }, after: { text: "" } }] },
  ]);
  expect(remove(note, actors.admin).answer).toMatchObject({ kind: "not_found", code: "note_not_found" });
  expect(remove(testId(999), actors.admin).answer).toMatchObject({ code: "note_not_found" });
  const own = noted(on, { actor: actors.agent });
  expect(remove(own, actors.agent).answer).toMatchObject({ ok: true });
  const others = noted(on, { actor: actors.agent });
  expect(remove(others, actors.admin).answer).toMatchObject({ ok: true });
});
