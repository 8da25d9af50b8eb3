import { existsSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Config,
  decodeSecretKey,
  inspectBackup,
  keyFileName,
  migrationsFolder,
  readMembers,
  restore,
} from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { withDatabase } from "./database.ts";
import { UserError } from "./user-error.ts";

/** Restores a backup into an empty data directory or database, and its secret key into the data directory. */
export async function restoreBackup(context: Context, { file }: { readonly file: string }): Promise<Outcome> {
  const { config, say } = context;
  if (!existsSync(file)) throw new UserError("file_missing", `There is no file ${file}.`);
  const { created_at, program_version } = await inspectBackup(file);
  const key = await readKey(file);
  const keyFile = join(config.dataDir, keyFileName);
  refuseOtherKey(config, key, keyFile);
  return withDatabase(config, { say, create: true, alone: true }, async ({ pool }) => {
    const written = key !== null && config.secretKey === undefined;
    // before the rows: a server that found these without their key would make a new one
    if (written) await writeKey(config, keyFile, key);
    const { header, rows, refused } = await restore({ pool, path: file, migrations: migrationsFolder }).catch(
      async (error: unknown) => {
        if (written) await rm(keyFile, { force: true });
        throw error;
      },
    );
    const count = Object.values(rows).reduce((sum, each) => sum + each, 0);
    const where =
      key === null
        ? "The backup holds no secret key: set THREADMILL_SECRET_KEY to the one that belongs to it."
        : `The secret key is ${written ? `in ${keyFile}` : "that of THREADMILL_SECRET_KEY"}.`;
    const slower = refused.length === 0 ? "" : ` This PostgreSQL would not store tables so: ${refused.join("; ")}.`;
    return {
      json: {
        file,
        created_at,
        program_version,
        schema: header.migrations.at(-1)?.name ?? null,
        secret_key: key !== null,
        rows,
        refused,
      },
      text: `Restored ${count} rows in ${Object.keys(rows).length} tables, as of ${created_at}. ${where}${slower}`,
    };
  });
}

/** The backup's secret key, in the form of its file. Reads the whole backup, so that a damaged one is found before anything is done. */
async function readKey(file: string): Promise<Buffer | null> {
  let key: Buffer | null = null;
  for await (const { name, content } of readMembers(file)) {
    if (name === `files/${keyFileName}`) key = content;
  }
  return key;
}

/** With another key than the backup's, its secrets could never be read. */
function refuseOtherKey({ secretKey }: Config, key: Buffer | null, keyFile: string): void {
  if (existsSync(keyFile)) {
    throw new UserError("data_dir_not_empty", `${keyFile} is there already; a restore overwrites nothing.`, {
      hint: "Restore into a new data directory: --data-dir or THREADMILL_DATA_DIR.",
    });
  }
  if (secretKey === undefined || key === null) return;
  const kept = decodeSecretKey(key.toString("utf8"));
  if (kept !== undefined && Buffer.compare(kept, decodeSecretKey(secretKey) as Uint8Array) === 0) return;
  throw new UserError("secret_key_differs", "THREADMILL_SECRET_KEY is not the key of this backup.", {
    hint: "Unset it to restore the backup's own key into the data directory.",
  });
}

async function writeKey({ dataDir }: Config, path: string, key: Buffer): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(key);
    await file.sync();
  } finally {
    await file.close();
  }
}
