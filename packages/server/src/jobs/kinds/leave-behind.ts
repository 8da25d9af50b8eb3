import { refuse } from "@threadmill/core";
import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "pg";
import { Type } from "typebox";
import { listings } from "../../features/listings/listings.ts";
import { defineJob, type JobContext } from "../kind.ts";

interface Parameters {
  readonly user: string;
}

/** The listings follow the log a moment later; so often it is looked whether they do, so many ms apart. */
const looks = 100;
const lookMs = 100;

/** Waits until what was given a moment ago is listed too. Throws when the listings stay behind: the slice comes again. */
async function listedUpToNow(pool: Pool, lane: number): Promise<void> {
  const { rows } = await pool.query<{ head: number }>(
    "select coalesce((select seq + count - 1 from log where lane = $1 order by seq desc limit 1), 0) as head",
    [lane],
  );
  for (let n = 0; n < looks; n += 1) {
    const { rowCount } = await pool.query("select from followers where lane = $1 and name = $2 and seq >= $3", [
      lane,
      listings.name,
      rows[0]?.head,
    ]);
    if (rowCount !== 0) return;
    await pause(lookMs);
  }
  throw new Error(`The listings of lane ${lane} are behind`);
}

/** The id of the user who is meant; null where there is none. */
const userOf = ({ parameters, settings }: JobContext<Parameters>): string | null =>
  settings.user(parameters.user)?.id ?? null;

/**
 * Tells of each conversation that a user holds who went offline, as an event that workflows can use. Whether it is still
 * so is asked with each; who comes back in the middle stops the rest of it.
 */
export const leaveBehind = defineJob({
  name: "conversations.leave_behind",
  summary: "Tells of each open conversation of a user who is offline, so that workflows see to them",
  permission: "conversations.write",
  parameters: Type.Object(
    { user: Type.String({ minLength: 1, maxLength: 320, description: "id or e-mail address of the user" }) },
    { additionalProperties: false },
  ),
  open: true,
  problem: async (context: JobContext<Parameters>) =>
    userOf(context) === null ? refuse("not_found", "user_not_found", "There is no such user", "/user") : null,
  async total(context) {
    const { lane, organization } = context.place;
    const { rows } = await context.pool.query<{ open: number }>(
      "select open from loads where lane = $1 and organization = $2 and user_id = $3",
      [lane, organization, userOf(context)],
    );
    return rows[0]?.open ?? 0;
  },
  async plan(context, cursor: string | null) {
    const { lane, organization } = context.place;
    const user = userOf(context);
    if (user === null) return null;
    if (cursor === null) await listedUpToNow(context.pool, lane);
    const { rows } = await context.pool.query<{ id: string }>(
      `select id from listings where lane = $1 and organization = $2 and assignee = $3 and ($4::uuid is null or id > $4)
  and status in ('open', 'pending', 'snoozed') order by id limit $5`,
      [lane, organization, user, cursor, context.sliceItems],
    );
    const ids = rows.map((row) => row.id);
    const last = ids.at(-1);
    return last === undefined ? null : { plan: { user, ids }, cursor: last };
  },
  work: async (_context, { user, ids }: { readonly user: string; readonly ids: readonly string[] }) => ({
    items: ids.map((id) => ({
      item: id,
      command: { type: "conversation.leave_behind", input: { conversation: id, user } },
    })),
  }),
});
