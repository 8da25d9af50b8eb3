import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { backupToFile, type Config, decodeSecretKey, keyFileName, version } from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { withDatabase } from "./database.ts";
import { UserError } from "./user-error.ts";

/** Where a backup goes. */
export interface BackupInput {
  readonly file: string;
  /** leave it out where it is kept elsewhere */
  readonly withoutKey: boolean;
}

/** Writes database and secret key into one file that only its owner can read. A server may serve meanwhile. */
export async function backUp(context: Context, { file, withoutKey }: BackupInput): Promise<Outcome> {
  if (existsSync(file)) throw new UserError("file_exists", `${file} is there already; a backup overwrites nothing.`);
  if (!existsSync(dirname(file))) throw new UserError("folder_missing", `There is no folder ${dirname(file)}.`);
  const key = withoutKey ? null : await readKey(context.config);
  return withDatabase(context.config, { say: context.say }, async ({ pool, how }) => {
    const files: Record<string, Uint8Array> = key === null ? {} : { [keyFileName]: Buffer.from(`${key}\n`) };
    const now = context.now();
    const { schemaVersion, rows } = await backupToFile({ pool, programVersion: version, now, files }, file);
    const { size } = await stat(file);
    const count = Object.values(rows).reduce((sum, each) => sum + each, 0);
    return {
      json: {
        file,
        bytes: size,
        created_at: now,
        schema: schemaVersion ?? null,
        secret_key: key !== null,
        source: how,
        rows,
      },
      text: `${file}: ${count} rows in ${Object.keys(rows).length} tables, ${size} bytes${key === null ? ", without the secret key" : ", with the secret key: keep it safe"}.`,
    };
  });
}

/** The secret key in the form of its file. */
async function readKey({ secretKey, dataDir }: Config): Promise<string> {
  if (secretKey !== undefined) return secretKey;
  const path = join(dataDir, keyFileName);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UserError(
      "secret_key_missing",
      `The secret key cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: "Use --data-dir or THREADMILL_SECRET_KEY, or leave it out of the backup with --without-key.",
        cause: error,
      },
    );
  });
  if (decodeSecretKey(text) === undefined)
    throw new UserError("secret_key_invalid", `${path} holds no key of 32 bytes.`);
  return text.trim();
}
