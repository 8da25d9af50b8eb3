import { type Id, isEverywhere, isId, type Reach, type SettingsIndex } from "@threadmill/core";
import type { Pool } from "pg";
import { freshId } from "../lanes/fresh-id.ts";
import { readWorkflow } from "../features/workflows/store.ts";
import type { Place } from "../lanes/port.ts";
import { isReadable, readableCustomers } from "./readable.ts";
import { runWithinReachText } from "./reach.ts";
import { maySeeWorkflow } from "./workflows.ts";

/** Where a command is asked for, and how far the right reaches that it needs. */
export interface Hiding {
  readonly pool: Pool;
  readonly place: Place;
  readonly settings: SettingsIndex;
  readonly reach: Reach;
}

type Seen = (name: string, hiding: Hiding) => Promise<boolean> | boolean;

/** Whether a name that a command gives is of something within reach, by the field that gives it. What is nowhere is not asked for. */
const seen: Readonly<Record<string, Seen>> = {
  customer: (id, { pool, place, reach }) => readable(pool, place, reach, id),
  conversation: (id, { pool, place, reach }) => isReadable(pool, place, reach, id),
  message: messageSeen,
  note: noteSeen,
  run: runSeen,
  effect: effectSeen,
  workflow: workflowSeen,
  mailbox: (name, { settings, reach }) => inMailbox(reach, settings.mailbox(name)?.id),
  channel: (name, { settings, reach }) => inMailbox(reach, settings.channel(name)?.mailbox),
};

/**
 * The input of a command in which whatever is out of reach has the id of what does not exist: so it is answered as that,
 * in every way and by the same path. The decision asks again, with the row in hand.
 */
export async function hideUnreachable<T extends Given>(input: T, hiding: Hiding): Promise<T> {
  if (isEverywhere(hiding.reach)) return input;
  const asked = Object.entries(input).map(async ([field, name]) => {
    // what something is merged into is of the kind of what is merged
    const kind = field === "into" ? ("customer" in input ? "customer" : "conversation") : field;
    const test = Object.hasOwn(seen, kind) && typeof name === "string" ? seen[kind] : undefined;
    const shown = test === undefined || (await test(name as string, hiding));
    return [field, shown ? name : freshId()] as const;
  });
  return Object.fromEntries(await Promise.all(asked)) as T;
}

type Given = Readonly<Record<string, unknown>>;

const inMailbox = ({ mailboxes }: Reach, id: Id | undefined): boolean =>
  mailboxes === null || (id !== undefined && mailboxes.includes(id));

const readable = async (pool: Pool, place: Place, reach: Reach, id: string): Promise<boolean> =>
  isId(id) && (await readableCustomers(pool, place, reach, [id])).has(id);

async function messageSeen(id: string, { pool, place, reach }: Hiding): Promise<boolean> {
  if (!isId(id)) return false;
  const { rows } = await pool.query<{ conversation: string }>(
    "select conversation from messages where lane = $1 and organization = $2 and id = $3",
    [place.lane, place.organization, id],
  );
  return rows[0] !== undefined && isReadable(pool, place, reach, rows[0].conversation);
}

async function workflowSeen(name: string, { pool, place, settings, reach }: Hiding): Promise<boolean> {
  const row = await readWorkflow(pool, place, name);
  return row !== null && maySeeWorkflow(settings, reach, row.draft);
}

async function noteSeen(id: string, { pool, place, reach }: Hiding): Promise<boolean> {
  if (!isId(id)) return false;
  const { rows } = await pool.query<{ customer: string }>(
    "select customer from notes where lane = $1 and organization = $2 and id = $3",
    [place.lane, place.organization, id],
  );
  return rows[0] !== undefined && readable(pool, place, reach, rows[0].customer);
}

async function runSeen(id: string, { pool, place, reach }: Hiding): Promise<boolean> {
  if (!isId(id)) return false;
  const values: unknown[] = [place.lane, place.organization, id];
  const { rows } = await pool.query(
    `select 1 from runs run where lane = $1 and organization = $2 and id = $3${runWithinReachText(reach, values)}`,
    values,
  );
  return rows.length > 0;
}

async function effectSeen(id: string, { pool, place, reach }: Hiding): Promise<boolean> {
  if (!isId(id)) return false;
  const { rows } = await pool.query<{ conversation: string | null }>(
    "select refs->>'conversation' as conversation from effects where lane = $1 and organization = $2 and id = $3",
    [place.lane, place.organization, id],
  );
  const conversation = rows[0]?.conversation ?? null;
  return conversation !== null && isReadable(pool, place, reach, conversation);
}
