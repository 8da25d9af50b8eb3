import { isZone } from "@threadmill/core";
import { createOrganization, migrate, migrationsFolder } from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { withDatabase } from "./database.ts";
import { UserError } from "./user-error.ts";

/** What a new organization is to be. */
export interface OrganizationInput {
  readonly name: string;
  /** default UTC */
  readonly zone?: string | undefined;
  readonly sandbox: boolean;
}

/** Makes an organization with an owner, a mailbox, channels and a token, directly in the database. */
export async function createOrganizationCommand(
  context: Context,
  { name, zone, sandbox }: OrganizationInput,
): Promise<Outcome> {
  if (name.trim() === "" || name.length > 200)
    throw new UserError("usage", "A name has 1 to 200 characters.", { exit: "usage" });
  if (zone !== undefined && !isZone(zone)) {
    throw new UserError("zone_unknown", `There is no time zone ${zone}.`, {
      exit: "usage",
      hint: "Such as Europe/Berlin or America/New_York.",
    });
  }
  return withDatabase(context.config, { say: context.say, create: true }, async ({ pool }) => {
    await migrate(pool, migrationsFolder);
    const { id, lane, owner, mailbox, channels, token } = await createOrganization(pool, {
      name: name.trim(),
      sandbox,
      ...(zone !== undefined && { zone }),
    });
    return {
      json: { id, name: name.trim(), lane, sandbox, owner, mailbox, channels, token },
      text: `Organization ${id} in lane ${lane}${sandbox ? ", a sandbox" : ""}\nAPI token (shown once): ${token}`,
    };
  });
}
