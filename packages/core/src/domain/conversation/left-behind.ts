import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { accept, defineCommand } from "../define.ts";
import { isOpen } from "../derived.ts";
import { key } from "../keys.ts";
import { findUser, isRefusal } from "../naming.ts";
import { statusOf } from "../user/availability.ts";
import { conversationInput, refsOfConversation, withConversation } from "./with-conversation.ts";

/**
 * Tells of one of the conversations that a user holds who is not there any more: what becomes of it is for workflows to
 * say. Nothing of the conversation changes. A job issues it for each of them, so it is asked anew whether it is still so.
 */
export const leaveBehind = defineCommand({
  type: "conversation.leave_behind",
  summary: "Tells that the user who holds a conversation is offline, so that workflows see to it",
  permission: "conversations.write",
  target: "conversation",
  action: false,
  events: ["conversation.left_behind"],
  input: Type.Object(
    {
      ...conversationInput,
      user: Type.String({ maxLength: 320, description: "id or e-mail address of the user who is offline" }),
    },
    { additionalProperties: false },
  ),
  prepare(input, settings) {
    const user = findUser(settings, input.user);
    return isRefusal(user) ? user : { ...input, user: user.id };
  },
  needs: (input) => [key.conversation(input.conversation), key.presence(input.user)],
  decide(input, draft) {
    const user = findUser(draft.settings, input.user);
    if (isRefusal(user)) return user;
    return withConversation(draft, input.conversation, (row) => {
      if (row.assignee !== user.id || !isOpen(row))
        return refuse("conflict", "not_held", "The user does not hold the conversation any more", "/user");
      const { status } = draft.presence(user.id) ?? { status: statusOf(user.kind, { chosen: null, seen: null }) };
      if (status !== "offline") return refuse("conflict", "user_not_offline", "The user is not offline", "/user");
      draft.emit("conversation.left_behind", { ...refsOfConversation(draft, row), user: user.id }, [], {});
      return accept({ conversation: row.id, changed: false });
    });
  },
});
