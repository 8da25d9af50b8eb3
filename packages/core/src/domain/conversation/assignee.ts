import { type Static, Type } from "typebox";
import { type Refusal, refuse } from "../../model/command.ts";
import { type Id, oneOf } from "../../model/common.ts";
import type { ConversationRow } from "../../model/conversation.ts";
import type { Team } from "../../model/settings.ts";
import { type Candidate, choose, ways } from "../assignment.ts";
import { accept, defineCommand } from "../define.ts";
import { isOpen } from "../derived.ts";
import type { Draft } from "../draft.ts";
import { type Key, key } from "../keys.ts";
import { findTeam, findUser, isRefusal } from "../naming.ts";
import type { SettingsIndex } from "../settings-index.ts";
import { isAvailable } from "../user/availability.ts";
import { change, conversationInput, withConversation } from "./with-conversation.ts";

const AssignInput = Type.Object(
  {
    ...conversationInput,
    user: Type.Optional(Type.String({ maxLength: 320, description: "id or e-mail address of the user" })),
    team: Type.Optional(Type.String({ maxLength: 64, description: "id or short name of the team" })),
    by: Type.Optional(
      oneOf(
        ways,
        "picks a user with room for one more: the next in turn of the team, the member who holds the fewest open conversations, or who replied last in the conversation",
      ),
    ),
    only_available: Type.Optional(
      Type.Boolean({ description: "nobody but who is online and has room; else it is refused" }),
    ),
  },
  { additionalProperties: false },
);
type Assign = Static<typeof AssignInput>;

/** What is not named stays as it is: a conversation of a team keeps it when a user takes it. */
export const assignConversation = defineCommand({
  type: "conversation.assign",
  summary: "Gives a conversation to a user, a team, or whoever of a team is picked",
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
  needs: (input, settings) => [key.conversation(input.conversation), ...needsOfUsers(input, settings)],
  decide(input, draft) {
    const found = resolve(input, draft.settings);
    if (isRefusal(found)) return found;
    return withConversation(draft, input.conversation, (row) => {
      const user = whoGets(input, found, draft, row);
      if (isRefusal(user)) return user;
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
function resolve(input: Assign, settings: SettingsIndex): Found | Refusal {
  const { by } = input;
  if (input.user === undefined && input.team === undefined && by !== "last_replied") {
    return refuse("invalid", "assignee_missing", "A conversation is given to a user or a team");
  }
  if (by === "last_replied" ? input.user !== undefined : by && (input.team === undefined || input.user !== undefined)) {
    return refuse("invalid", "by_needs_team", "To pick a member, a team and no user must be named", "/by");
  }
  if (input.only_available === true && by === undefined && input.user === undefined)
    return refuse("invalid", "only_available_of_whom", "A team is given one whoever is there", "/only_available");
  const user = input.user === undefined ? undefined : findUser(settings, input.user);
  if (isRefusal(user)) return user;
  const team = input.team === undefined ? undefined : findTeam(settings, input.team);
  if (isRefusal(team)) return team;
  return { user: user?.id, team };
}

/** What says who could take it. */
function needsOfUsers(input: Assign, settings: SettingsIndex): readonly Key[] {
  const whoever = (id: Id): Key[] => [key.load(id), key.presence(id)];
  if (input.user !== undefined) {
    const id = settings.user(input.user)?.id ?? input.user;
    return input.only_available === true ? whoever(id) : [key.load(id)];
  }
  if (input.by === undefined) return [];
  if (input.by === "last_replied") return [key.replier(input.conversation)];
  const team = settings.team(input.team ?? "");
  const turn = input.by === "round_robin" && team !== null ? [key.turn(team.id)] : [];
  return [...members(settings, team).flatMap(whoever), ...turn];
}

/** The members who can take something, in the order of their ids. */
const members = (settings: SettingsIndex, team: Team | null | undefined): readonly Id[] =>
  (team?.members ?? []).filter((id) => settings.user(id)?.archived_at === null).sort();

/** The user who is named or picked; undefined where a team alone gets it. */
function whoGets(input: Assign, found: Found, draft: Draft, row: ConversationRow): Id | undefined | Refusal {
  const { by = null, only_available: onlyAvailable = false } = input;
  if (by === null) {
    if (found.user === undefined || !onlyAvailable) return found.user;
    const [named] = candidates(draft, row, `user/${found.user}`, [found.user]);
    return (
      choose([named as Candidate], { by, onlyAvailable, last: null }) ?? nobody("The user cannot take it", "/user")
    );
  }
  if (by === "last_replied") return whoReplied(draft, row, found.team, onlyAvailable);
  const team = found.team as Team;
  const ids = members(draft.settings, team);
  if (ids.length === 0)
    return refuse("conflict", "team_has_nobody", "The team has no member who could take it", "/team");
  const last = by === "round_robin" ? draft.turn(team.id) : null;
  const user = choose(candidates(draft, row, team.id, ids), { by, onlyAvailable, last });
  if (user === null) return nobody("No member of the team can take it", "/team");
  if (by === "round_robin") draft.setTurn(team.id, user);
  return user;
}

/** Who replied last, if they still work here, in the team where one is named, and have room. */
function whoReplied(draft: Draft, row: ConversationRow, team: Team | undefined, onlyAvailable: boolean): Id | Refusal {
  const user = draft.replier(row.id);
  const known = user === null ? null : draft.settings.user(user);
  const could = known !== null && known.archived_at === null && known.kind !== "robot";
  if (!could || (team !== undefined && !team.members.includes(known.id)))
    return refuse("conflict", "nobody_replied", "Nobody who could take it has replied in the conversation", "/by");
  const found = candidates(draft, row, `user/${known.id}`, [known.id]);
  return (
    choose(found, { by: "last_replied", onlyAvailable, last: null }) ?? nobody("Who replied cannot take it", "/by")
  );
}

/** Users with what says whether they can take a conversation; one read (`bundle`), however many they are. */
function candidates(draft: Draft, row: ConversationRow, bundle: string, users: readonly Id[]): readonly Candidate[] {
  return draft.staff(bundle, users).map(({ user, status, open }) => {
    const known = draft.settings.user(user);
    return {
      user,
      available: isAvailable(known?.kind, status),
      // one that they hold already is no other one
      open: row.assignee === user && isOpen(row) ? open - 1 : open,
      capacity: known?.capacity ?? null,
    };
  });
}

const nobody = (sentence: string, path: string): Refusal =>
  refuse("limited", "nobody_available", `${sentence}: nobody is available who holds fewer than they are to hold`, path);
