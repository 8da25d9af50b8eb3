import type { PoolClient } from "pg";
import { eventsOf, type FollowedRow, type Follower } from "../../followers/follower.ts";

/** Conversations that are brought up to date at once when all are. */
const atOnce = 5000;

/**
 * What lists of conversations are ordered and counted by, and their tags: rows made anew from the conversations that the
 * log tells of, as those are now. It is never behind the log by more than the follower is, and may be ahead of it.
 */
export const listings: Follower = {
  name: "listings",

  async follow(tx, { lane }, rows) {
    for (const [organization, ids] of touched(rows)) await refreshListings(tx, lane, organization, ids);
  },

  /** The log may not tell of all of them any more; what is made anew here comes from the conversations themselves. */
  async forget(tx, { lane }) {
    for (const table of ["listings", "listing_counts", "conversation_tags"])
      await tx.query(`delete from ${table} where lane = $1`, [lane]);
    const { rows: organizations } = await tx.query<{ organization: string }>(
      "select organization from organizations where lane = $1",
      [lane],
    );
    for (const { organization } of organizations) {
      for (let last: string | null = null; ;) {
        const found: { rows: { id: string }[] } = await tx.query(
          `select id from conversations where lane = $1 and organization = $2 and ($3::uuid is null or id > $3) order by id limit $4`,
          [lane, organization, last, atOnce],
        );
        if (found.rows.length === 0) break;
        const ids = found.rows.map(({ id }) => id);
        await refreshListings(tx, lane, organization, ids);
        last = ids.at(-1) as string;
      }
    }
  },

  async tend(tx, lane) {
    await tx.query("delete from listing_counts where lane = $1 and count = 0", [lane]);
  },
};

/** Brings what is made of some conversations up to date; waits for whoever does the same in the lane. */
export async function refreshListings(
  tx: Pick<PoolClient, "query">,
  lane: number,
  organization: string,
  ids: readonly string[],
): Promise<void> {
  await tx.query({
    name: "refresh_listings",
    text: "select refresh_listings($1, $2, $3)",
    values: [lane, organization, ids],
  });
}

/** The conversations that rows of the log changed, by organization. */
function touched(rows: readonly FollowedRow[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const row of rows) {
    for (const { changes } of eventsOf(row)) {
      for (const { table, id } of changes) {
        if (table !== "conversations") continue;
        const ids = found.get(row.organization);
        if (ids === undefined) found.set(row.organization, new Set([id]));
        else ids.add(id);
      }
    }
  }
  return new Map([...found].map(([organization, ids]) => [organization, [...ids]]));
}
