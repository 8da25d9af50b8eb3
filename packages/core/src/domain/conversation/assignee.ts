import { type Static, Type } from "typebox";
import { type Refusal, refuse } from "../../model/command.ts";
import { type Id, oneOf } from "../../model/common.ts";
import type { Team } from "../../model/settings.ts";
import { accept, defineCommand } from "../define.ts";
import type { Draft } from "../draft.ts";
import { key } from "../keys.ts";
import { findTeam, findUser, isRefusal } from "../naming.ts";
import type { Staff } from "../reader.ts";
import type { SettingsIndex } from "../settings-index.ts";
import { change, conversationInput, withConversation } from "./with-conversation.ts";

const AssignInput = Type.Object(
  {
    ...conversationInput,
    user: Type.Optional(Type.String({ maxLength: 320, description: "id or e-mail address of the user" })),
    team: Type.Optional(Type.String({ maxLength: 64, description: "id or short name of the team" })),
    by: Type.Optional(
      oneOf(["least_busy"] as const, "picks the member of the team who holds the fewest open conversations"),
    ),
  },
  { additionalProperties: false },
);

/** What is not named stays as it is: a conversation of a team keeps it when a user takes it. */
export const assignConversation = defineCommand({
  type: "conversation.assign",
  summary: "Gives a conversation to a user, a team, or the least busy member of a team",
  permission: "conversations.write",
  target: "conversation",
  action: true,
  events: ["conversation.assigned"],
  input: AssignInput,
  prepare(input, settings) {
    const found = resolve(input, settings);
    return isRefusal(found)
      ? found
      : { ...input, ...(found.user && { user: found.user }), ...(found.team && { team: found.team.id }) };
  },
  needs: (input, settings) => [
    key.conversation(input.conversation),
    ...(input.user === undefined ? [] : [key.load(settings.user(input.user)?.id ?? input.user)]),
    ...(input.by === undefined
      ? []
      : members(settings, settings.team(input.team ?? "")).flatMap((id) => [key.load(id), key.presence(id)])),
  ],
  decide(input, draft) {
    const found = resolve(input, draft.settings);
    if (isRefusal(found)) return found;
    return withConversation(draft, input.conversation, (row) => {
      const user = input.by === undefined ? found.user : leastBusy(draft, found.team as Team);
      if (user === null)
        return refuse("conflict", "team_has_nobody", "The team has no member who could take it", "/team");
      const patch = {
        ...(user !== undefined && { assignee: user }),
        ...(found.team !== undefined && { team: found.team.id }),
      };
      const { result } = change(draft, row, "conversation.assigned", patch);
      return accept({ ...result, assignee: user ?? row.assignee, team: found.team?.id ?? row.team });
    });
  },
});

const UnassignInput = Type.Object(
  { ...conversationInput, what: Type.Optional(oneOf(["user", "team", "both"] as const, "default: both")) },
  { additionalProperties: false },
);

export const unassignConversation = defineCommand({
  type: "conversation.unassign",
  summary: "Takes a conversation from its user, its team, or both",
  permission: "conversations.write",
  target: "conversation",
  action: true,
  events: ["conversation.unassigned"],
  input: UnassignInput,
  needs: (input) => [key.conversation(input.conversation)],
  decide: (input, draft) =>
    withConversation(draft, input.conversation, (row) =>
      change(draft, row, "conversation.unassigned", {
        ...(input.what !== "team" && { assignee: null }),
        ...(input.what !== "user" && { team: null }),
      }),
    ),
});

interface Found {
  readonly user?: Id;
  readonly team?: Team;
}

/** Who is meant, by id. */
function resolve(input: Static<typeof AssignInput>, settings: SettingsIndex): Found | Refusal {
  if (input.user === undefined && input.team === undefined) {
    return refuse("invalid", "assignee_missing", "A conversation is given to a user or a team");
  }
  if (input.by !== undefined && (input.team === undefined || input.user !== undefined)) {
    return refuse("invalid", "by_needs_team", "To pick a member, a team and no user must be named", "/by");
  }
  const user = input.user === undefined ? undefined : findUser(settings, input.user);
  if (isRefusal(user)) return user;
  const team = input.team === undefined ? undefined : findTeam(settings, input.team);
  if (isRefusal(team)) return team;
  return { user: user?.id, team };
}

/** The members who can take something, in the order of their ids. */
const members = (settings: SettingsIndex, team: Team | null | undefined): readonly Id[] =>
  (team?.members ?? []).filter((id) => settings.user(id)?.archived_at === null).sort();

/** The member with the fewest open conversations among those online, or among all when nobody is known to be. */
function leastBusy(draft: Draft, team: Team): Id | null {
  const all = draft.staff(team.id, members(draft.settings, team));
  const online = all.filter((each) => each.online);
  let best: Staff | null = null;
  for (const each of online.length > 0 ? online : all) if (best === null || each.open < best.open) best = each;
  return best?.user ?? null;
}
