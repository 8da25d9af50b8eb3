import { migrate, migrationsFolder } from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { withDatabase } from "./database.ts";

/** Brings the database's schema up to this program's; a server does the same at its start. */
export async function migrateDatabase({ config, say }: Context): Promise<Outcome> {
  return withDatabase(config, { say, create: true }, async ({ pool }) => {
    const { applied, version } = await migrate(pool, migrationsFolder);
    const done = applied.length === 0 ? "The schema was up to date" : `Applied ${applied.join(", ")}`;
    return { json: { applied, version: version ?? null }, text: `${done}: ${version ?? "empty"}.` };
  });
}
