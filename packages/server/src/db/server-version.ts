import type { Pool } from "pg";
import { DatabaseFault } from "./fault.ts";

/** The oldest PostgreSQL that everything here is tested on. */
const oldestMajor = 15;
/** From here on the server ends a transaction that takes too long as a whole. */
const transactionTimeoutMajor = 17;

/** What the database server is and can do. */
export interface ServerVersion {
  readonly major: number;
  /** whether it knows `transaction_timeout`; docs/operations.md says what is given up without */
  readonly transactionTimeout: boolean;
}

/** Asks the server for its version. Throws `postgres_too_old` with a sentence for the terminal. */
export async function readServerVersion(pool: Pool): Promise<ServerVersion> {
  const { rows } = await pool.query<{ number: string; text: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as text",
  );
  const { number, text } = rows[0] as { number: string; text: string };
  return judgeVersion(Number(number), text);
}

/** What a version number such as 150019 can do; `text` is how the server itself writes it. */
export function judgeVersion(number: number, text: string): ServerVersion {
  const major = Math.floor(number / 10_000);
  if (major < oldestMajor) {
    throw new DatabaseFault(
      "postgres_too_old",
      `The database server is PostgreSQL ${text}; Threadmill needs ${oldestMajor} or newer. ` +
        "Upgrade it, or leave DATABASE_URL away to use the server that comes with Threadmill.",
    );
  }
  return { major, transactionTimeout: major >= transactionTimeoutMajor };
}
