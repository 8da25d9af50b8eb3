import { refuse, type Refusal } from "@threadmill/core";
import type { ChangeContext } from "./resource.ts";

type Within = Pick<ChangeContext, "tx" | "place">;

/** What stands against a list of users: one twice, or none of that id who works here. Those who were in it before may stay. */
export const liveUsersProblem = (
  context: Within,
  ids: readonly string[],
  before: readonly string[],
  path: string,
): Promise<Refusal | null> => problemOf("users", context, ids, before, path);

/** The same for a list of teams. */
export const liveTeamsProblem = (
  context: Within,
  ids: readonly string[],
  before: readonly string[],
  path: string,
): Promise<Refusal | null> => problemOf("teams", context, ids, before, path);

async function problemOf(
  table: "users" | "teams",
  { tx, place }: Within,
  ids: readonly string[],
  before: readonly string[],
  path: string,
): Promise<Refusal | null> {
  const noun = table === "users" ? "user" : "team";
  if (new Set(ids).size < ids.length)
    return refuse("invalid", table === "users" ? "member_twice" : "team_twice", `A ${noun} is named twice`, path);
  const { rows } = await tx.query<{ id: string }>(
    `select id from ${table} where lane = $1 and organization = $2 and id = any($3) and archived_at is null`,
    [place.lane, place.organization, ids],
  );
  // somebody who was archived since may stay: nothing is cascaded away
  const known = new Set([...rows.map((row) => row.id), ...before]);
  const at = ids.findIndex((id) => !known.has(id));
  return at < 0 ? null : refuse("invalid", `${noun}_not_found`, `There is no such ${noun}`, `${path}/${at}`);
}
