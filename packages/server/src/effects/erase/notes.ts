import { blankFields } from "@threadmill/core";
import { worldTables } from "../../lanes/tables.ts";
import { blanking } from "./blanking.ts";
import type { Sweep } from "./sweep.ts";

const notesAtATime = 500;

/** Blanks what was noted of the customer. */
export async function blankNotes({ lane, organization, customer, inLane }: Sweep): Promise<void> {
  const { set, values } = blanking(worldTables.notes, blankFields.notes, 5);
  for (let after: string | null = null; ;) {
    const last: string | null = await inLane(async (tx) => {
      const { rows } = await tx.query<{ last: string | null }>(
        `with these as (
  select id from notes where lane = $1 and organization = $2 and customer = $3 and ($4::uuid is null or id > $4)
  order by id limit $5),
blanked as (
  update notes n set ${set} from these where n.lane = $1 and n.organization = $2 and n.id = these.id)
select max(id::text) as last from these`,
        [lane, organization, customer, after, notesAtATime, ...values],
      );
      return rows[0]?.last ?? null;
    });
    if (last === null) return;
    after = last;
  }
}
