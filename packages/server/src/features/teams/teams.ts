import { refuse, settingsSchemas, type Team } from "@threadmill/core";
import { Type } from "typebox";
import { giverIn } from "../../rights/granting.ts";
import { liveUsersProblem } from "../settings/members.ts";
import { resource } from "../settings/resource.ts";

const { slug, name, members, lead } = settingsSchemas.teams.properties;

/** Users who share work. */
export const teams = resource<Team>({
  noun: "team",
  plural: "teams",
  permission: "users.write",
  shape: Type.Object(settingsSchemas.teams.properties, { title: "Team" }),
  create: { slug, name, members, lead },
  update: { slug, name, members, lead },
  defaults: { members: [], lead: null },
  unique: ["slug"],
  json: [],
  slugged: true,
  async check(row, context) {
    const { before, tx, caller } = context;
    const problem = await liveUsersProblem(context, row.members, before?.members ?? [], "/members");
    if (problem !== null) return problem;
    if (row.lead !== null && !row.members.includes(row.lead))
      return refuse("invalid", "lead_no_member", "A team is led by one of its members", "/lead");
    const added = row.members.filter((id) => before?.members.includes(id) !== true);
    if (before === null || added.length === 0) return null;
    // a team's members see what is in the mailboxes that name it
    const giver = await giverIn(tx, caller);
    const named = giver.settings.all.mailboxes.filter(({ teams }) => teams.includes(row.id));
    return named.map(({ id }) => giver.refusalOfMailbox(id, "/members")).find((one) => one !== null) ?? null;
  },
  checkArchive: async (row, { tx, place }) => {
    const { rows } = await tx.query<{ name: string }>(
      "select name from mailboxes where lane = $1 and organization = $2 and $3 = any(teams) and archived_at is null limit 1",
      [place.lane, place.organization, row.id],
    );
    const [mailbox] = rows;
    return mailbox === undefined
      ? null
      : refuse("conflict", "team_in_use", `The mailbox "${mailbox.name}" keeps to its members`);
  },
});
