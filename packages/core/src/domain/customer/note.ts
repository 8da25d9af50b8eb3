import { Type } from "typebox";
import { type Accepted, type Refusal, refuse } from "../../model/command.ts";
import { type Id, IdSchema } from "../../model/common.ts";
import type { Note } from "../../model/note.ts";
import { accept, defineCommand } from "../define.ts";
import type { Draft } from "../draft.ts";
import { key } from "../keys.ts";
import { authorOf } from "../message/send.ts";
import { customerInput, withCustomer } from "./with-customer.ts";

const text = Type.String({ maxLength: 65_536 });
const noteInput = { note: IdSchema };

/** Leaves a note on a customer, whatever they write about; one that belongs to a conversation is `message.note`. */
export const addCustomerNote = defineCommand({
  type: "customer.add_note",
  summary: "Leaves a note on a customer that the customer does not see",
  permission: "customers.write",
  target: "customer",
  action: true,
  events: ["customer.note_added"],
  input: Type.Object({ ...customerInput, text }, { additionalProperties: false }),
  needs: (input) => [key.customer(input.customer)],
  decide: (input, draft) =>
    withCustomer(draft, input.customer, (row) => {
      if (input.text.trim() === "") return noteEmpty();
      const { row: note, changes } = draft.createNote({
        customer: row.id,
        author: authorOf(draft),
        text: input.text,
        automated: draft.actor.kind !== "user",
      });
      draft.emit("customer.note_added", { customer: row.id }, changes);
      return accept({ note: note.id, customer: row.id });
    }),
});

/** Nobody's words are changed by others; the log keeps what stood there. */
export const editCustomerNote = defineCommand({
  type: "customer.edit_note",
  summary: "Changes the words of a note of one's own",
  permission: "customers.write",
  target: "note",
  action: false,
  events: ["customer.note_edited"],
  input: Type.Object({ ...noteInput, text }, { additionalProperties: false }),
  needs: (input) => [key.note(input.note)],
  decide: (input, draft) =>
    withNote(draft, input.note, (note, customer) => {
      if (input.text.trim() === "") return noteEmpty();
      if (!isAuthor(draft, note))
        return refuse("forbidden", "not_the_author", "Only who wrote a note may change its words", "/note");
      if (note.text === input.text) return accept({ note: note.id, customer, changed: false });
      const changes = draft.changeNote(note, { text: input.text, edited_at: draft.at });
      draft.emit("customer.note_edited", { customer }, changes);
      return accept({ note: note.id, customer, changed: true });
    }),
});

/** The row stays without its words; the log keeps them until it is pruned or the customer erased. */
export const removeCustomerNote = defineCommand({
  type: "customer.remove_note",
  summary: "Takes a note off a customer: one's own, or anybody's for who may erase customers",
  permission: "customers.write",
  target: "note",
  action: false,
  events: ["customer.note_removed"],
  input: Type.Object(noteInput, { additionalProperties: false }),
  needs: (input) => [key.note(input.note)],
  decide: (input, draft) =>
    withNote(draft, input.note, (note, customer) => {
      if (!isAuthor(draft, note) && !draft.settings.permits(draft.actor, "customers.erase")) {
        const message = "Only who wrote a note, or who may erase customers, takes it away";
        return refuse("forbidden", "not_the_author", message, "/note");
      }
      const changes = draft.changeNote(note, { text: "", removed_at: draft.at });
      draft.emit("customer.note_removed", { customer }, changes);
      return accept({ note: note.id, customer, changed: true });
    }),
});

const noteEmpty = (): Refusal => refuse("invalid", "note_empty", "A note needs a text", "/text");

const isAuthor = ({ actor }: Draft, note: Note): boolean => actor.kind === "user" && actor.id === note.author;

/** Reads the note that a command names, and the customer who stands for the one that it was left on. */
function withNote(draft: Draft, id: Id, act: (note: Note, customer: Id) => Accepted | Refusal): Accepted | Refusal {
  const note = draft.note(id);
  if (note === null || note.removed_at !== null)
    return refuse("not_found", "note_not_found", "There is no such note", "/note");
  return withCustomer(draft, note.customer, (row) => act(note, row.id), "/note");
}
