import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import type { ConversationRow } from "../../model/conversation.ts";
import { closing } from "../conversation/status.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { customerInput, customerNotFound } from "./with-customer.ts";

/** More open conversations than this are closed one by one; a command must not touch any number of rows (MILL law 2). */
export const maxClosed = 200;

/** An erased customer can be closed, as nothing personal comes back by it. */
export const closeCustomer = defineCommand({
  type: "customer.close",
  summary: "Closes all conversations of a customer and clears assignee and teams",
  permission: "conversations.write",
  target: "customer",
  action: true,
  events: ["conversation.closed", "customer.closed", "customer.state_changed"],
  input: Type.Object(customerInput, { additionalProperties: false }),
  needs: (input) => [key.customer(input.customer), key.open(input.customer)],
  decide(input, draft) {
    const row = draft.customerOf(input.customer);
    if (row === null) return customerNotFound();
    if (row.open_conversations > maxClosed) {
      const count = `The customer has ${row.open_conversations} open conversations`;
      return refuse(
        "limited",
        "too_many_open_conversations",
        `${count}; at most ${maxClosed} are closed at once`,
        "/customer",
      );
    }
    const ids = draft.openConversations(row.id);
    draft.expect(ids.map(key.conversation));
    const all = ids.map((id) => draft.conversation(id) as ConversationRow);
    const open = all.filter((each) => draft.reaches(each));
    draft.expect(open.flatMap(({ assignee }) => (assignee === null ? [] : [key.load(assignee)])));
    for (const conversation of open) {
      const changes = draft.changeConversation(conversation, closing(conversation, draft.at));
      draft.emit("conversation.closed", { customer: row.id, conversation: conversation.id }, changes);
    }
    const changes = draft.changeCustomer(row, { assignee: null, teams: [] });
    const changed = changes.length > 0 || open.length > 0;
    if (changed) draft.emit("customer.closed", { customer: row.id }, changes, { conversations: open.length });
    return accept({ customer: row.id, changed, conversations: open.length });
  },
});
