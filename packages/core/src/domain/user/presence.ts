import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { oneOf } from "../../model/common.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { findUser, isRefusal } from "../naming.ts";
import { presenceStatuses, statusOf } from "./availability.ts";

/** Where news of a user comes from: what they say, their open pages, or their calendar. */
export const presenceSources = ["hand", "connections", "hours"] as const;

/** Presence is no logged column: the event tells of it in its `data`. */
export const setPresence = defineCommand({
  type: "user.set_presence",
  summary: "Notes that a user came, went or is away",
  permission: "presence.write",
  target: "user",
  action: false,
  events: ["user.presence_changed"],
  input: Type.Object(
    {
      user: Type.String({ maxLength: 320, description: "id or e-mail address of the user" }),
      status: oneOf(
        [...presenceStatuses, "automatic"] as const,
        "`automatic` takes back what was said by hand: open pages or working hours count again",
      ),
      by: Type.Optional(oneOf(presenceSources, "default: hand; the others are for the system")),
    },
    { additionalProperties: false },
  ),
  prepare(input, settings) {
    const user = findUser(settings, input.user);
    return isRefusal(user) ? user : { ...input, user: user.id };
  },
  needs: (input) => [key.presence(input.user)],
  decide(input, draft) {
    const { status, by = "hand" } = input;
    const user = findUser(draft.settings, input.user);
    if (isRefusal(user)) return user;
    if (by !== "hand" && draft.actor.kind !== "system")
      return refuse("forbidden", "presence_is_seen", "What is seen of users, the system tells itself", "/by");
    if (by !== "hand" && status === "automatic")
      return refuse("invalid", "presence_unclear", "What is seen of a user is online, away or offline", "/status");
    const before = draft.presence(user.id);
    const said = status === "automatic" ? null : status;
    const known = {
      chosen: by === "hand" ? said : (before?.chosen ?? null),
      seen: by === "hand" ? (before?.seen ?? null) : said,
    };
    const after = statusOf(user.kind, known);
    const changed = after !== (before?.status ?? null);
    if (changed || known.chosen !== before?.chosen || known.seen !== before.seen)
      draft.setPresence(user.id, {
        ...known,
        status: after,
        since: changed || before === null ? draft.at : before.since,
      });
    if (changed)
      draft.emit("user.presence_changed", { user: user.id }, [], { before: before?.status ?? null, after, by });
    return accept({ user: user.id, changed });
  },
});
