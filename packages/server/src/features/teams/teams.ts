import { refuse, settingsSchemas, type Team } from "@threadmill/core";
import { Type } from "typebox";
import { resource } from "../settings/resource.ts";

const { slug, name, members, lead } = settingsSchemas.teams.properties;

/** Users who share work. */
export const teams = resource<Team>({
  noun: "team",
  plural: "teams",
  shape: Type.Object(settingsSchemas.teams.properties, { title: "Team" }),
  create: { slug, name, members, lead },
  update: { slug, name, members, lead },
  defaults: { members: [], lead: null },
  unique: ["slug"],
  json: [],
  slugged: true,
  async check(row, { tx, place, before }) {
    const ids = row.members;
    if (new Set(ids).size < ids.length) return refuse("invalid", "member_twice", "A user is named twice", "/members");
    if (row.lead !== null && !ids.includes(row.lead))
      return refuse("invalid", "lead_no_member", "A team is led by one of its members", "/lead");
    const known = new Set(before?.members);
    const { rows } = await tx.query<{ id: string }>(
      "select id from users where lane = $1 and organization = $2 and id = any($3) and archived_at is null",
      [place.lane, place.organization, ids],
    );
    const live = new Set(rows.map((row) => row.id));
    // somebody who was archived since may stay: nothing is cascaded away
    const at = ids.findIndex((id) => !live.has(id) && !known.has(id));
    return at < 0 ? null : refuse("invalid", "user_not_found", "There is no such user", `/members/${at}`);
  },
});
