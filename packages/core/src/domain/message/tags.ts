import { Type } from "typebox";
import { type Accepted, type Refusal, refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import type { Message } from "../../model/message.ts";
import { refsOfConversation } from "../conversation/with-conversation.ts";
import { customerErased, isErased } from "../customer/with-customer.ts";
import { accept, defineCommand } from "../define.ts";
import type { Draft } from "../draft.ts";
import type { EventType } from "../events.ts";
import { key } from "../keys.ts";
import { prepareTags, tagsProblem, TagsInput, withoutTags, withTags } from "../tags.ts";

const input = Type.Object({ message: IdSchema, tags: TagsInput }, { additionalProperties: false });

export const tagMessage = defineCommand({
  type: "message.tag",
  summary: "Tags a message",
  permission: "conversations.write",
  target: "message",
  action: true,
  events: ["message.tagged"],
  input,
  prepare: prepareTags,
  needs: (given) => [key.message(given.message)],
  decide: (given, draft) =>
    withMessage(draft, given.message, (row) => {
      const tags = withTags(row.tags, given.tags);
      return tagsProblem(tags) ?? changeTags(draft, row, "message.tagged", tags);
    }),
});

export const untagMessage = defineCommand({
  type: "message.untag",
  summary: "Takes tags off a message",
  permission: "conversations.write",
  target: "message",
  action: true,
  events: ["message.untagged"],
  input,
  prepare: prepareTags,
  needs: (given) => [key.message(given.message)],
  decide: (given, draft) =>
    withMessage(draft, given.message, (row) =>
      changeTags(draft, row, "message.untagged", withoutTags(row.tags, given.tags)),
    ),
});

/** Reads the message that a command names. */
export function withMessage(
  draft: Draft,
  id: string,
  act: (message: Message) => Accepted | Refusal,
): Accepted | Refusal {
  const row = draft.message(id);
  return row === null || !draft.reachesConversation(row.conversation)
    ? refuse("not_found", "message_not_found", "There is no such message", "/message")
    : act(row);
}

/** What an event of a message is about: who and what its merged customer and conversation stand for. */
export const messageRefs = (draft: Draft, row: Message) => ({
  ...refsOfConversation(draft, {
    id: draft.conversationOf(row.conversation)?.id ?? row.conversation,
    customer: row.customer,
  }),
  message: row.id,
});

function changeTags(draft: Draft, row: Message, type: EventType, tags: readonly string[]): Accepted | Refusal {
  const refs = messageRefs(draft, row);
  if (isErased(draft.customer(refs.customer))) return customerErased("/message");
  const changes = draft.changeMessage(row, { tags });
  draft.emit(type, refs, changes);
  return accept({ message: row.id, changed: changes.length > 0 });
}
