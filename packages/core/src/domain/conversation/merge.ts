import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema, type Instant } from "../../model/common.ts";
import type { Conversation, ConversationRow } from "../../model/conversation.ts";
import { accept, defineCommand } from "../define.ts";
import { isOpen } from "../derived.ts";
import { key } from "../keys.ts";
import { maxTags, withTags } from "../tags.ts";
import { closing } from "./status.ts";
import { conversationInput, refsOf, withConversation } from "./with-conversation.ts";

/** Two threads are one. Messages stay where they are (MILL law 13); the target's facts then speak for both. */
export const mergeConversation = defineCommand({
  type: "conversation.merge",
  summary: "Merges a conversation into another of the same customer",
  permission: "conversations.write",
  target: "conversation",
  action: true,
  events: ["conversation.merged", "customer.state_changed"],
  input: Type.Object({ ...conversationInput, into: IdSchema }, { additionalProperties: false }),
  needs: (input) => [key.conversation(input.conversation), key.conversation(input.into)],
  decide: (input, draft) =>
    withConversation(draft, input.conversation, (source) =>
      withConversation(
        draft,
        input.into,
        (target) => {
          if (source.id === target.id) {
            return refuse("conflict", "merge_with_itself", "A conversation cannot be merged into itself", "/into");
          }
          const refs = refsOf(draft, target);
          if (refsOf(draft, source).customer !== refs.customer) {
            return refuse("conflict", "other_customer", "The conversations are of different customers", "/into");
          }
          const changes = [
            ...draft.changeConversation(source, { ...closing(source, draft.at), merged_into: target.id }),
            ...draft.changeConversation(target, union(target, source)),
          ];
          draft.emit("conversation.merged", refs, changes, { source: source.id, target: target.id });
          return accept({ conversation: target.id, merged: source.id });
        },
        "/into",
      ),
    ),
});

/** What the target takes over. A customer who still waits in the source waits in the target, which is then open. */
function union(target: ConversationRow, source: ConversationRow): Partial<Conversation> {
  const waits = source.waiting_since !== null;
  return {
    tags: withTags(target.tags, source.tags).slice(0, maxTags),
    waiting_since: pick(target.waiting_since, source.waiting_since, (a, b) => a < b),
    last_message_at: pick(target.last_message_at, source.last_message_at, (a, b) => a > b),
    last_inbound_at: pick(target.last_inbound_at, source.last_inbound_at, (a, b) => a > b),
    last_reply_at: pick(target.last_reply_at, source.last_reply_at, (a, b) => a > b),
    inbound_count: target.inbound_count + source.inbound_count,
    outbound_count: target.outbound_count + source.outbound_count,
    ...(waits && !isOpen(target) && { status: "open", closed_at: null }),
  };
}

function pick(a: Instant | null, b: Instant | null, better: (a: Instant, b: Instant) => boolean): Instant | null {
  if (a === null || b === null) return a ?? b;
  return better(a, b) ? a : b;
}
