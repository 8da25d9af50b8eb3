import type { Event } from "@threadmill/core";
import type { PoolClient } from "pg";
import { eventsOf, type FollowedRow, type Follower } from "../../followers/follower.ts";
import { leaveBehind } from "../../jobs/kinds/leave-behind.ts";
import { insertJob } from "../../jobs/store.ts";
import { freshId } from "../../lanes/fresh-id.ts";

interface Absence {
  readonly organization: string;
  readonly user: string;
  readonly event: string;
}

/** Who went offline so long ago is no news: a log that is followed anew sets nothing off. */
const newsMinutes = 10;

/**
 * What the engine does when somebody goes offline: where a workflow waits to hear of it, a job tells of each conversation
 * that they hold. Made in the transaction that moves the cursor, so for each time they go there is one, whatever dies.
 */
export const absences: Follower = {
  name: "absences",

  async follow(tx, { lane }, rows) {
    const gone = rows.flatMap(absencesOf);
    if (gone.length === 0) return;
    const listening = await whoListens(tx, lane, gone);
    for (const { organization, user, event } of gone) {
      if (!listening.has(organization)) continue;
      await insertJob(
        tx,
        { lane, organization },
        {
          id: freshId(),
          kind: leaveBehind.name,
          parameters: { user },
          actor: { kind: "system", id: null },
          total: await openOf(tx, lane, organization, user),
          key: { key: `absence/${event}`, fingerprint: event },
        },
      );
    }
  },

  // the jobs that were made are done; they are not to be made again
  async forget() {},
};

const goesOffline = ({ type, refs, data }: Event): boolean =>
  type === "user.presence_changed" && refs.user !== undefined && data?.["after"] === "offline";

function absencesOf(row: FollowedRow): Absence[] {
  // presence is about no customer: of most rows nothing has to be looked at
  if (row.customer !== null || Date.parse(row.at) < Date.now() - newsMinutes * 60_000) return [];
  return eventsOf(row)
    .filter(goesOffline)
    .map(({ id, refs }) => ({ organization: row.organization, user: refs.user as string, event: id }));
}

/** The organizations in which an active workflow wants to hear of conversations that are left behind. */
async function whoListens(tx: PoolClient, lane: number, gone: readonly Absence[]): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ organization: string }>(
    `select distinct w.organization from workflows w
join workflow_versions v on v.lane = w.lane and v.organization = w.organization and v.id = w.published
where w.lane = $1 and w.organization = any($2) and w.enabled and w.archived_at is null
  and jsonb_path_exists(v.document, '$.triggers[*] ? (@.event == "conversation.left_behind")')`,
    [lane, gone.map(({ organization }) => organization)],
  );
  return new Set(rows.map((row) => row.organization));
}

async function openOf(tx: PoolClient, lane: number, organization: string, user: string): Promise<number> {
  const { rows } = await tx.query<{ open: number }>(
    "select open from loads where lane = $1 and organization = $2 and user_id = $3",
    [lane, organization, user],
  );
  return rows[0]?.open ?? 0;
}
