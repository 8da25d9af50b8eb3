/** Where a command is found over HTTP. Fields of its input that stand in the path are not in the body. */
export interface CommandRoute {
  readonly method: "POST" | "DELETE";
  /** below /api/v2; parameters are named as the input's fields */
  readonly url: string;
  readonly command: string;
  readonly tag: "Customers" | "Conversations" | "Messages" | "Runs" | "Settings" | "Operations";
  /** whose properties its input sets: with `define_properties` those that nobody knows are defined */
  readonly sets?: "customer" | "conversation";
  /** 201 where a new thing is what it is for */
  readonly status?: 201;
}

const customer = (verb: string, command: string): CommandRoute => ({
  method: "POST",
  url: `/customers/:customer/${verb}`,
  command: `customer.${command}`,
  tag: "Customers",
});
const conversation = (verb: string, command: string): CommandRoute => ({
  method: "POST",
  url: `/conversations/:conversation/${verb}`,
  command: `conversation.${command}`,
  tag: "Conversations",
});

/** Every command's place. A test keeps it in step with the registry. */
export const commandRoutes: readonly CommandRoute[] = [
  { method: "POST", url: "/customers", command: "customer.upsert", tag: "Customers", sets: "customer" },
  customer("add_address", "add_address"),
  customer("remove_address", "remove_address"),
  customer("make_address_primary", "make_address_primary"),
  { ...customer("properties", "set_property"), sets: "customer" },
  {
    method: "DELETE",
    url: "/customers/:customer/properties/:name",
    command: "customer.delete_property",
    tag: "Customers",
  },
  { ...customer("notes", "add_note"), status: 201 },
  { method: "POST", url: "/notes/:note", command: "customer.edit_note", tag: "Customers" },
  { method: "POST", url: "/notes/:note/remove", command: "customer.remove_note", tag: "Customers" },
  customer("subscribe", "subscribe"),
  customer("unsubscribe", "unsubscribe"),
  customer("assign", "assign"),
  customer("unassign", "unassign"),
  customer("add_to_team", "add_to_team"),
  customer("remove_from_team", "remove_from_team"),
  customer("add_tags", "add_tags"),
  customer("remove_tags", "remove_tags"),
  customer("close", "close"),
  customer("merge", "merge"),
  customer("erase", "erase"),

  { method: "POST", url: "/conversations", command: "conversation.start", tag: "Conversations", status: 201 },
  conversation("open", "open"),
  conversation("close", "close"),
  conversation("set_pending", "set_pending"),
  conversation("snooze", "snooze"),
  conversation("mark_spam", "mark_spam"),
  conversation("assign", "assign"),
  conversation("unassign", "unassign"),
  conversation("leave_behind", "leave_behind"),
  conversation("topic", "set_topic"),
  conversation("add_tags", "add_tags"),
  conversation("remove_tags", "remove_tags"),
  { ...conversation("properties", "set_property"), sets: "conversation" },
  conversation("move", "move"),
  conversation("merge", "merge"),

  { method: "POST", url: "/channels/:channel/messages", command: "message.receive", tag: "Messages", status: 201 },
  {
    method: "POST",
    url: "/conversations/:conversation/messages",
    command: "message.send",
    tag: "Messages",
    status: 201,
  },
  { method: "POST", url: "/conversations/:conversation/notes", command: "message.note", tag: "Messages", status: 201 },
  { method: "POST", url: "/messages/:message/tag", command: "message.tag", tag: "Messages" },
  { method: "POST", url: "/messages/:message/untag", command: "message.untag", tag: "Messages" },
  { method: "POST", url: "/messages/:message/delivery", command: "message.record_delivery", tag: "Messages" },

  { method: "POST", url: "/users/:user/presence", command: "user.set_presence", tag: "Settings" },
  { method: "POST", url: "/workflows/:workflow/runs", command: "run.start", tag: "Runs", status: 201 },
  { method: "POST", url: "/runs/:run/cancel", command: "run.cancel", tag: "Runs" },
  { method: "POST", url: "/effects/:effect/retry", command: "effect.retry", tag: "Operations" },
  { method: "POST", url: "/parked/:parked/retry", command: "parked.retry", tag: "Operations" },
  { method: "POST", url: "/parked/:parked/resolve", command: "parked.resolve", tag: "Operations" },
];
