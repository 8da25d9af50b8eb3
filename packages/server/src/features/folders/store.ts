import type { Pool } from "pg";
import type { Place } from "../../lanes/port.ts";
import type { Folder } from "./built-in.ts";

const columns = `id, owner, name, icon, position, filter, only_mine as only, sort`;

/** The folders that users made: everybody's, and those of one user, in the order they gave them. */
export async function readFolders(pool: Pool, { lane, organization }: Place, user: string | null): Promise<Folder[]> {
  const { rows } = await pool.query<Folder>(
    `select ${columns} from folders where lane = $1 and organization = $2 and (owner is null or owner = $3)
order by owner is not null, position, id`,
    [lane, organization, user],
  );
  return rows;
}

/** One of them; null where there is none, or it is somebody else's. */
export async function readFolder(
  pool: Pool,
  { lane, organization }: Place,
  id: string,
  user: string | null,
): Promise<Folder | null> {
  const { rows } = await pool.query<Folder>(
    `select ${columns} from folders where lane = $1 and organization = $2 and id = $3 and (owner is null or owner = $4)`,
    [lane, organization, id, user],
  );
  return rows[0] ?? null;
}

/** Folders of one owner are so many at most: their counts are asked for together. */
export const mostFolders = 100;

/** Writes a new folder; false where there are too many. */
export async function insertFolder(pool: Pool, { lane, organization }: Place, folder: Folder): Promise<boolean> {
  const { id, owner, name, icon, position, filter, only, sort } = folder;
  const { rowCount } = await pool.query(
    `insert into folders (lane, organization, id, owner, name, icon, position, filter, only_mine, sort, created_at, updated_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp(), clock_timestamp()
where (select count(*) from folders where lane = $1 and organization = $2 and owner is not distinct from $4) < $11`,
    [lane, organization, id, owner, name, icon, position, JSON.stringify(filter), only, sort, mostFolders],
  );
  return rowCount === 1;
}

/** Writes a folder as it is to be now; false where it is gone by now. */
export async function updateFolder(pool: Pool, { lane, organization }: Place, folder: Folder): Promise<boolean> {
  const { id, name, icon, position, filter, only, sort } = folder;
  const { rowCount } = await pool.query(
    `update folders set name = $4, icon = $5, position = $6, filter = $7, only_mine = $8, sort = $9, updated_at = clock_timestamp()
where lane = $1 and organization = $2 and id = $3`,
    [lane, organization, id, name, icon, position, JSON.stringify(filter), only, sort],
  );
  return rowCount === 1;
}

/** Takes a folder away; nothing else refers to it. */
export async function deleteFolder(pool: Pool, { lane, organization }: Place, id: string): Promise<void> {
  await pool.query("delete from folders where lane = $1 and organization = $2 and id = $3", [lane, organization, id]);
}
