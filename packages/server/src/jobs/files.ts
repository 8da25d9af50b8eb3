import type { Json } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";
import { freshId } from "../lanes/fresh-id.ts";
import type { Place } from "../lanes/port.ts";

/** What is known of a file that a job reads or wrote. */
export interface JobFile {
  readonly id: string;
  readonly job: string | null;
  readonly name: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly complete: boolean;
  readonly facts: { readonly [name: string]: Json };
  readonly created_by: string | null;
  readonly created_at: string;
  readonly expires_at: string;
}

/** What a new file is. */
export interface NewFile {
  /** default: a new one; one that is there already is left as it is */
  readonly id?: string;
  readonly name: string;
  readonly mediaType: string;
  readonly job: string | null;
  readonly by: string | null;
  /** it is removed after so long */
  readonly hours: number;
}

/**
 * Where jobs keep what they read and write as a whole. In the database, so that whichever process goes on with a job has
 * it, and that a part is written in the transaction that moves the job's cursor. Read and written in parts of bounded size.
 */
export interface JobFiles {
  create(place: Place, wanted: NewFile, on?: PoolClient): Promise<string>;
  find(place: Place, id: string): Promise<JobFile | null>;
  /** Writes bytes behind what is there. Nobody else may write the file meanwhile. */
  append(place: Place, id: string, bytes: Uint8Array, on?: PoolClient): Promise<void>;
  /** Says that the file is whole, and what is known of it. */
  complete(place: Place, id: string, facts: JobFile["facts"], on?: PoolClient): Promise<void>;
  /** Gives the file to a job; false when another has it. */
  give(place: Place, id: string, job: string, on?: PoolClient): Promise<boolean>;
  /** At most so many bytes from a place on; fewer than wanted only at the end. */
  read(place: Place, id: string, from: number, most: number): Promise<Buffer>;
  /** Has the file removed after so many hours from now. */
  keep(place: Place, id: string, hours: number, on?: PoolClient): Promise<void>;
  /** Whether it is there, complete or not, for its time. */
  isThere(place: Place, id: string, on: PoolClient): Promise<boolean>;
  /** How many bytes it has by now. */
  size(place: Place, id: string, on?: PoolClient): Promise<number>;
  remove(place: Place, id: string): Promise<void>;
}

/** What was being written was removed meanwhile, as when somebody in it was erased. */
export class FileGone extends Error {
  constructor() {
    super("The file was removed while it was written; ask for it anew");
  }
}

/** Parts are at most so large: one is held in memory several times while it is written. */
export const partBytes = 256 * 1024;

const columns = "id, job, name, media_type, bytes, complete, facts, created_by, created_at, expires_at";

/** Files in tables of the database. */
export function filesInDatabase(pool: Pool): JobFiles {
  return {
    async create({ lane, organization }, { id = freshId(), name, mediaType, job, by, hours }, on) {
      await (on ?? pool).query(
        `insert into job_files (lane, organization, id, job, name, media_type, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(hours => $8)) on conflict do nothing`,
        [lane, organization, id, job, name, mediaType, by, hours],
      );
      return id;
    },
    async find({ lane, organization }, id) {
      const { rows } = await pool.query<JobFile>(
        `select ${columns} from job_files where lane = $1 and organization = $2 and id = $3 and expires_at > clock_timestamp()`,
        [lane, organization, id],
      );
      return rows[0] ?? null;
    },
    async append({ lane, organization }, id, bytes, on) {
      for (let at = 0; at < bytes.length; at += partBytes) {
        const part = bytes.subarray(at, at + partBytes);
        const { rowCount } = await (on ?? pool).query(
          `with grown as (
  update job_files set bytes = bytes + $5 where lane = $1 and organization = $2 and id = $3 and not complete returning bytes)
insert into job_file_parts (lane, organization, file, place, bytes) select $1, $2, $3, bytes - $5, $4 from grown`,
          [lane, organization, id, part, part.length],
        );
        if (rowCount !== 1) throw new FileGone();
      }
    },
    async complete({ lane, organization }, id, facts, on) {
      await (on ?? pool).query(
        "update job_files set complete = true, facts = $4 where lane = $1 and organization = $2 and id = $3",
        [lane, organization, id, JSON.stringify(facts)],
      );
    },
    async give({ lane, organization }, id, job, on) {
      const { rowCount } = await (on ?? pool).query(
        "update job_files set job = $4 where lane = $1 and organization = $2 and id = $3 and complete and (job is null or job = $4)",
        [lane, organization, id, job],
      );
      return rowCount === 1;
    },
    async read({ lane, organization }, id, from, most) {
      const parts: Buffer[] = [];
      let held = 0;
      while (held < most) {
        const { rows } = await pool.query<{ place: number; bytes: Buffer }>(
          `select place, bytes from job_file_parts where lane = $1 and organization = $2 and file = $3 and place <= $4
order by place desc limit 1`,
          [lane, organization, id, from + held],
        );
        const [part] = rows;
        const rest = part?.bytes.subarray(from + held - part.place, from + most - part.place);
        if (rest === undefined || rest.length === 0) break;
        parts.push(rest);
        held += rest.length;
      }
      return Buffer.concat(parts, held);
    },
    async keep({ lane, organization }, id, hours, on) {
      await (on ?? pool).query(
        `update job_files set expires_at = clock_timestamp() + make_interval(hours => $4)
where lane = $1 and organization = $2 and id = $3`,
        [lane, organization, id, hours],
      );
    },
    async isThere({ lane, organization }, id, on) {
      const { rowCount } = await on.query(
        "select from job_files where lane = $1 and organization = $2 and id = $3 for update",
        [lane, organization, id],
      );
      return rowCount === 1;
    },
    async size({ lane, organization }, id, on) {
      const { rows } = await (on ?? pool).query<{ bytes: number }>(
        "select bytes from job_files where lane = $1 and organization = $2 and id = $3",
        [lane, organization, id],
      );
      return rows[0]?.bytes ?? 0;
    },
    async remove({ lane, organization }, id) {
      await removeFiles(pool, [{ lane, organization, id }]);
    },
  };
}

/** Removes files, the parts of each before its head, so that what is killed in between is found again. */
async function removeFiles(
  pool: Pool,
  files: readonly { readonly lane: number; readonly organization: string; readonly id: string }[],
): Promise<void> {
  for (const { lane, organization, id } of files) {
    const of = [lane, organization, id];
    await pool.query("delete from job_file_parts where lane = $1 and organization = $2 and file = $3", of);
    await pool.query("delete from job_files where lane = $1 and organization = $2 and id = $3", of);
  }
}

/** Removes everything that jobs of an organization wrote, or are writing: those have to be asked for anew. */
export async function removeExports(pool: Pool, { lane, organization }: Place): Promise<void> {
  const { rows } = await pool.query<{ id: string }>(
    "select id from job_files where lane = $1 and organization = $2 and job is not null",
    [lane, organization],
  );
  await removeFiles(
    pool,
    rows.map(({ id }) => ({ lane, organization, id })),
  );
}

/** Removes files whose time is over; answers how many there were. */
export async function removeExpiredFiles(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ lane: number; organization: string; id: string }>(
    "select lane, organization, id from job_files where expires_at <= clock_timestamp() order by expires_at limit 100",
  );
  await removeFiles(pool, rows);
  return rows.length;
}
