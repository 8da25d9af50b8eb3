import { Type } from "typebox";
import { defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { prepareTags, tagsProblem, TagsInput, withoutTags, withTags } from "../tags.ts";
import { changeWords, conversationInput, withConversation } from "./with-conversation.ts";

const input = Type.Object({ ...conversationInput, tags: TagsInput }, { additionalProperties: false });

export const addConversationTags = defineCommand({
  type: "conversation.add_tags",
  summary: "Tags a conversation",
  permission: "conversations.write",
  target: "conversation",
  action: true,
  events: ["conversation.tags_added"],
  input,
  prepare: prepareTags,
  needs: (given) => [key.conversation(given.conversation)],
  decide: (given, draft) =>
    withConversation(draft, given.conversation, (row) => {
      const tags = withTags(row.tags, given.tags);
      return tagsProblem(tags) ?? changeWords(draft, row, "conversation.tags_added", { tags });
    }),
});

export const removeConversationTags = defineCommand({
  type: "conversation.remove_tags",
  summary: "Takes tags off a conversation",
  permission: "conversations.write",
  target: "conversation",
  action: true,
  events: ["conversation.tags_removed"],
  input,
  prepare: prepareTags,
  needs: (given) => [key.conversation(given.conversation)],
  decide: (given, draft) =>
    withConversation(draft, given.conversation, (row) =>
      changeWords(draft, row, "conversation.tags_removed", { tags: withoutTags(row.tags, given.tags) }),
    ),
});
