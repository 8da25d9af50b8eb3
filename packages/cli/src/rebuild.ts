import { followers, rebuild } from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { withDatabase } from "./database.ts";
import { UserError } from "./user-error.ts";

/** Throws away what a follower of the log made, and lets the servers make it anew while they serve. */
export async function rebuildFollower({ config, say }: Context, name: string): Promise<Outcome> {
  const follower = followers.find((each) => each.name === name);
  if (follower === undefined) {
    throw new UserError("follower_not_found", `There is no follower ${name}.`, {
      hint: `There are: ${followers.map((each) => each.name).join(", ")}.`,
    });
  }
  return withDatabase(config, { say }, async ({ pool }) => {
    const lanes = await rebuild(pool, follower);
    return {
      json: { follower: name, lanes },
      text: `${name} begins anew in ${lanes} lanes; the servers carry it from there.`,
    };
  });
}
