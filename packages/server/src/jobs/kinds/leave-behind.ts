import { refuse } from "@threadmill/core";
import { Type } from "typebox";
import { defineJob, type JobContext } from "../kind.ts";

interface Parameters {
  readonly user: string;
}

const open = ["open", "pending", "snoozed"] as const;

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
    const held = await context.db
      .selectFrom("conversations")
      .select("id")
      .where((eb) => eb.and({ lane, organization, assignee: user }))
      .where("status", "in", open)
      .where("merged_into", "is", null)
      .$if(cursor !== null, (query) => query.where("id", ">", cursor as string))
      .orderBy("id")
      .limit(context.sliceItems)
      .execute();
    const ids = held.map((row) => row.id);
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
