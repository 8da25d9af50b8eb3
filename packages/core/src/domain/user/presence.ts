import { Type } from "typebox";
import { oneOf } from "../../model/common.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { findUser, isRefusal } from "../naming.ts";

export const presenceStatuses = ["online", "away", "offline"] as const;

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
      status: oneOf(presenceStatuses),
    },
    { additionalProperties: false },
  ),
  prepare(input, settings) {
    const user = findUser(settings, input.user);
    return isRefusal(user) ? user : { ...input, user: user.id };
  },
  needs: (input) => [key.presence(input.user)],
  decide(input, draft) {
    const user = findUser(draft.settings, input.user);
    if (isRefusal(user)) return user;
    const before = draft.presence(user.id)?.status ?? null;
    if (before === input.status) return accept({ user: user.id, changed: false });
    draft.setPresence(user.id, input.status);
    draft.emit("user.presence_changed", { user: user.id }, [], { before, after: input.status });
    return accept({ user: user.id, changed: true });
  },
});
