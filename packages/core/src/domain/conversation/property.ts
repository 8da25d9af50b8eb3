import { Type } from "typebox";
import type { Json } from "../../model/common.ts";
import { defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { countProblem, propertyProblem, PropertyName, withProperties } from "../properties.ts";
import { changeWords, conversationInput, withConversation } from "./with-conversation.ts";

/** Sets one property; the event's `names` says which it was. */
export const setConversationProperty = defineCommand({
  type: "conversation.set_property",
  summary: "Sets a property of a conversation; null takes it away",
  permission: "conversations.write",
  target: "conversation",
  action: true,
  events: ["conversation.property_set"],
  input: Type.Object(
    { ...conversationInput, name: PropertyName, value: Type.Unknown() },
    { additionalProperties: false },
  ),
  needs: (input) => [key.conversation(input.conversation)],
  decide: (input, draft) =>
    withConversation(draft, input.conversation, (row) => {
      const value = input.value as Json;
      const properties = withProperties(row.properties, { [input.name]: value });
      const problem =
        propertyProblem(draft.settings, "conversation", input.name, value, "/value") ??
        countProblem(properties, "/name");
      return problem ?? changeWords(draft, row, "conversation.property_set", { properties }, { names: [input.name] });
    }),
});
