import type { Pool } from "pg";
import type { Place } from "../../lanes/port.ts";

/** A text that people put into what they write. */
export interface SavedReply {
  readonly id: string;
  /** whose it is; null: everybody's */
  readonly owner: string | null;
  readonly folder: string | null;
  readonly name: string;
  readonly text: string;
  readonly uses: number;
  readonly used_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

const columns = "id, owner, folder, name, text, uses, used_at, created_at, updated_at";

/** Everybody's and those of one user, newest first. */
export async function readReplies(
  pool: Pool,
  { lane, organization }: Place,
  user: string | null,
  asked: {
    readonly folder?: string;
    readonly search?: string;
    readonly after: string | undefined;
    readonly most: number;
  },
): Promise<SavedReply[]> {
  const { rows } = await pool.query<SavedReply>(
    `select ${columns} from saved_replies where lane = $1 and organization = $2 and (owner is null or owner = $3)
  and ($4::text is null or folder = $4) and ($5::text is null or strpos(filter_fold(name || ' ' || text), filter_fold($5)) > 0)
  and ($6::uuid is null or id < $6) order by id desc limit $7`,
    [lane, organization, user, asked.folder ?? null, asked.search ?? null, asked.after ?? null, asked.most],
  );
  return rows;
}

/** One of them; null where there is none, or it is somebody else's. */
export async function readReply(
  pool: Pool,
  { lane, organization }: Place,
  id: string,
  user: string | null,
): Promise<SavedReply | null> {
  const { rows } = await pool.query<SavedReply>(
    `select ${columns} from saved_replies where lane = $1 and organization = $2 and id = $3 and (owner is null or owner = $4)`,
    [lane, organization, id, user],
  );
  return rows[0] ?? null;
}

/** Writes a new one. */
export async function insertReply(
  pool: Pool,
  { lane, organization }: Place,
  { id, owner, name, text, folder }: Pick<SavedReply, "id" | "owner" | "name" | "text" | "folder">,
): Promise<SavedReply> {
  const { rows } = await pool.query<SavedReply>(
    `insert into saved_replies (lane, organization, id, owner, name, text, folder, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), clock_timestamp()) returning ${columns}`,
    [lane, organization, id, owner, name, text, folder],
  );
  return rows[0] as SavedReply;
}

/** Writes what people may change; null where it is gone by now. */
export async function updateReply(
  pool: Pool,
  { lane, organization }: Place,
  { id, name, text, folder }: Pick<SavedReply, "id" | "name" | "text" | "folder">,
): Promise<SavedReply | null> {
  const { rows } = await pool.query<SavedReply>(
    `update saved_replies set name = $4, text = $5, folder = $6, updated_at = clock_timestamp()
where lane = $1 and organization = $2 and id = $3 returning ${columns}`,
    [lane, organization, id, name, text, folder],
  );
  return rows[0] ?? null;
}

/** Takes one away. */
export async function deleteReply(pool: Pool, { lane, organization }: Place, id: string): Promise<void> {
  await pool.query("delete from saved_replies where lane = $1 and organization = $2 and id = $3", [
    lane,
    organization,
    id,
  ]);
}

/** Counts that one was put into a reply. */
export async function countUse(pool: Pool, { lane, organization }: Place, id: string): Promise<void> {
  await pool.query(
    "update saved_replies set uses = uses + 1, used_at = clock_timestamp() where lane = $1 and organization = $2 and id = $3",
    [lane, organization, id],
  );
}
