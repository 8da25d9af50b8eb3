import {
  addressKey,
  blank,
  channelKinds,
  type Json,
  parseAddress,
  parseSender,
  splitKey,
  worldNouns,
} from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Sweep } from "./sweep.ts";

const itemsAtATime = 100;
const longestAddress = 2000;

interface Parked {
  readonly id: string;
  readonly item: Json;
}

/**
 * Blanks items that wait for a person and name the customer: by an id of anything that was theirs, or by an address. They
 * are seen to by that. Free words in others' items are only for people to judge, as with others' tags and topics.
 */
export async function blankParked(sweep: Sweep): Promise<void> {
  for (let after: string | null = null; ;) {
    const last: string | null = await parkedSlice(sweep, after);
    if (last === null) return;
    after = last;
  }
}

function parkedSlice(sweep: Sweep, after: string | null): Promise<string | null> {
  const { lane, organization, inLane } = sweep;
  return inLane(async (tx) => {
    const { rows } = await tx.query<Parked>(
      `select id, item from parked where lane = $1 and organization = $2 and ($3::uuid is null or id > $3) order by id limit $4`,
      [lane, organization, after, itemsAtATime],
    );
    const theirs = await namesOfTheirs(tx, sweep, [...new Set(rows.flatMap(({ item }) => idsIn(item)))]);
    const named = rows.filter(
      ({ item }) => idsIn(item).some((id) => theirs.has(id)) || leavesOf(item).some((leaf) => isAddress(sweep, leaf)),
    );
    const { item, error } = blank(worldNouns.parked, { item: null, error: null }) as { item: Json; error: Json };
    await tx.query(
      `update parked set item = $4, error = $5, resolved_at = coalesce(resolved_at, clock_timestamp())
where lane = $1 and organization = $2 and id = any($3)`,
      [lane, organization, named.map(({ id }) => id), JSON.stringify(item), JSON.stringify(error)],
    );
    return rows.at(-1)?.id ?? null;
  });
}

const idForm = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;
const idsIn = (item: Json): readonly string[] => JSON.stringify(item).match(idForm) ?? [];

/** Which of these ids are the customer's own, or of something that is theirs. */
async function namesOfTheirs(
  tx: PoolClient,
  { lane, organization, customer }: Sweep,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const of = (table: string, column: string): string =>
    `select id from ${table} where lane = $1 and organization = $2 and id = any($3) and ${column} = $4`;
  const { rows } = await tx.query<{ id: string }>(
    `${["conversations", "messages", "runs", "runs_history"].map((table) => of(table, "customer")).join(" union all ")}
union all ${of("effects", "refs ->> 'customer'").replace("$4", "$4::text")}`,
    [lane, organization, ids, customer],
  );
  return new Set([customer, ...rows.map(({ id }) => id)]);
}

/** Every text in an item that is short enough to be taken for an address. */
function leavesOf(item: Json): string[] {
  if (typeof item === "string") return item.length <= longestAddress ? [item] : [];
  return typeof item === "object" && item !== null ? Object.values(item).flatMap(leavesOf) : [];
}

/** Whether a text, read as an address of any kind of channel, is one that the customer was found under. */
function isAddress({ addresses }: Sweep, text: string): boolean {
  if (addresses.has(`external:${text}`)) return true;
  return channelKinds.some((kind) => {
    const read = parseAddress(kind, text);
    return [...(read.ok ? [read.address] : []), parseSender(kind, text)].some((address) =>
      addresses.has(splitKey(addressKey(kind, address)).rest),
    );
  });
}
