import { type TObject, Type } from "typebox";
import { type Refusal, refuse } from "../../model/command.ts";
import { type Instant, InstantSchema } from "../../model/common.ts";
import type { ConversationRow } from "../../model/conversation.ts";
import { defineCommand } from "../define.ts";
import type { Draft } from "../draft.ts";
import type { EventType } from "../events.ts";
import { key } from "../keys.ts";
import { change, conversationInput, withConversation } from "./with-conversation.ts";

const statusCommand = <S extends TObject>(
  type: `conversation.${string}`,
  event: EventType,
  summary: string,
  input: S,
  patch: (row: ConversationRow, draft: Draft, input: { readonly until?: string }) => Partial<ConversationRow> | Refusal,
) =>
  defineCommand({
    type,
    summary,
    permission: "conversations.write",
    target: "conversation",
    action: true,
    events: [event, "customer.state_changed"],
    input,
    needs: (given) => [key.conversation((given as { conversation: string }).conversation)],
    decide: (given, draft) =>
      withConversation(draft, (given as { conversation: string }).conversation, (row) => {
        const result = patch(row, draft, given);
        return "ok" in result ? result : change(draft, row, event, result);
      }),
  });

const only = Type.Object(conversationInput, { additionalProperties: false });
const awake = { closed_at: null, snoozed_until: null };

export const openConversation = statusCommand(
  "conversation.open",
  "conversation.reopened",
  "Opens a conversation again",
  only,
  () => ({
    status: "open",
    ...awake,
  }),
);

/** What closing makes of a conversation. */
export const closing = (row: ConversationRow, at: Instant): Partial<ConversationRow> => ({
  status: "closed",
  closed_at: row.closed_at ?? at,
  snoozed_until: null,
  waiting_since: null,
});

export const closeConversation = statusCommand(
  "conversation.close",
  "conversation.closed",
  "Closes a conversation",
  only,
  (row, draft) => closing(row, draft.at),
);

export const setPending = statusCommand(
  "conversation.set_pending",
  "conversation.set_pending",
  "Notes that a conversation waits for somebody else",
  only,
  () => ({ status: "pending", ...awake }),
);

export const markSpam = statusCommand(
  "conversation.mark_spam",
  "conversation.marked_spam",
  "Marks a conversation as spam",
  only,
  (row, draft) => ({
    ...closing(row, draft.at),
    status: "spam",
  }),
);

export const snoozeConversation = statusCommand(
  "conversation.snooze",
  "conversation.snoozed",
  "Puts a conversation off until an instant or until the customer writes",
  Type.Object({ ...conversationInput, until: Type.Optional(InstantSchema) }, { additionalProperties: false }),
  (_row, draft, input) => {
    // so that a leap second, which has no milliseconds, is refused and not a fault
    if (input.until !== undefined && !(Date.parse(input.until) > Date.parse(draft.at))) {
      return refuse("invalid", "snooze_in_past", "The instant to snooze until has passed", "/until");
    }
    return {
      status: "snoozed",
      snoozed_until: input.until === undefined ? null : new Date(input.until).toISOString(),
      closed_at: null,
    };
  },
);
