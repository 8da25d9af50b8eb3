import { refuse, settingsSchemas, type Mailbox } from "@threadmill/core";
import { Type } from "typebox";
import { resource } from "../settings/resource.ts";

const { slug, name, reopen, reopen_days } = settingsSchemas.mailboxes.properties;

/** Where conversations live. */
export const mailboxes = resource<Mailbox>({
  noun: "mailbox",
  plural: "mailboxes",
  shape: Type.Object(settingsSchemas.mailboxes.properties, { title: "Mailbox" }),
  create: { slug, name, reopen, reopen_days },
  update: { slug, name, reopen, reopen_days },
  defaults: { reopen: "always", reopen_days: 30 },
  unique: ["slug"],
  json: [],
  slugged: true,
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
