import { refuse, settingsSchemas, type Mailbox } from "@threadmill/core";
import { Type } from "typebox";
import { giverIn } from "../../rights/granting.ts";
import { liveTeamsProblem, liveUsersProblem } from "../settings/members.ts";
import { resource } from "../settings/resource.ts";

const { slug, name, access, users, teams, reopen, reopen_days } = settingsSchemas.mailboxes.properties;

/** Where conversations live. */
export const mailboxes = resource<Mailbox>({
  noun: "mailbox",
  plural: "mailboxes",
  shape: Type.Object(settingsSchemas.mailboxes.properties, { title: "Mailbox" }),
  create: { slug, name, access, users, teams, reopen, reopen_days },
  update: { slug, name, access, users, teams, reopen, reopen_days },
  defaults: { access: "everyone", users: [], teams: [], reopen: "always", reopen_days: 30 },
  unique: ["slug"],
  json: [],
  slugged: true,
  effect: "With `access` set to `members`, only they see what is in it, and those whose role reaches everywhere.",
  seen: ({ id }, known) => known === null || known.includes(id),
  async check(row, context) {
    const { before, tx, caller } = context;
    const problem =
      (await liveUsersProblem(context, row.users, before?.users ?? [], "/users")) ??
      (await liveTeamsProblem(context, row.teams, before?.teams ?? [], "/teams"));
    const asBefore =
      before !== null &&
      row.access === before.access &&
      String(row.users) === String(before.users) &&
      String(row.teams) === String(before.teams);
    if (problem !== null || before === null || asBefore) return problem;
    return (await giverIn(tx, caller)).refusalOfMailbox(row.id, "/access");
  },
  async checkArchive({ id }, { tx, place }) {
    const { rows } = await tx.query<{ name: string }>(
      "select name from channels where lane = $1 and organization = $2 and mailbox = $3 and archived_at is null limit 1",
      [place.lane, place.organization, id],
    );
    const [channel] = rows;
    return channel === undefined
      ? null
      : refuse("conflict", "mailbox_in_use", `The channel "${channel.name}" brings messages into it`);
  },
});
