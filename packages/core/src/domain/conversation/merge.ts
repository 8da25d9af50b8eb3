import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import { customerErased, isErased } from "../customer/with-customer.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { maxMovedRuns, merged, tooManyRuns } from "../merging.ts";
import { conversationMerge } from "./merge-table.ts";
import { closing } from "./status.ts";
import { conversationInput, refsOfConversation, withConversation } from "./with-conversation.ts";

/**
 * Two threads are one. Messages stay where they are (MILL law 13); the target's facts then speak for both, field by field
 * as `merge-table.ts` says, and what waits for the source waits for the target.
 */
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
          const refs = refsOfConversation(draft, target);
          if (refsOfConversation(draft, source).customer !== refs.customer) {
            return refuse("conflict", "other_customer", "The conversations are of different customers", "/into");
          }
          // what the erasing has not reached yet would be carried to where it was already
          if (isErased(draft.customer(refs.customer))) return customerErased("/conversation");
          const waiting = draft.waitingRuns(source.id);
          if (waiting.length > maxMovedRuns) return tooManyRuns(waiting.length, "/conversation");
          const { automated_messages_per_hour: sendsKept } = draft.settings.organization.limits;
          const row = merged(conversationMerge, { target, source, sendsKept });
          const changes = draft.mergeConversation(source, closing(source, draft.at), row);
          draft.emit("conversation.merged", refs, changes, { source: source.id, target: target.id });
          return accept({ conversation: target.id, merged: source.id });
        },
        "/into",
      ),
    ),
});
