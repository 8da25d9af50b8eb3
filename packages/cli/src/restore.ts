import { existsSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { type Config, decodeSecretKey, inspectBackup, keyFileName, migrationsFolder, readMembers, restore } from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { withDatabase } from "./database.ts";
import { UserError } from "./user-error.ts";

/** Restores a backup into an empty data directory or database, and its secret key into the data directory. */
export async function restoreBackup(context: Context, { file }: { readonly file: string }): Promise<Outcome> {
  const { config, say } = context;
  if (!existsSync(file)) throw new UserError("file_missing", `There is no file ${file}.`);
  const { created_at, program_version } = await inspectBackup(file);
  const keyFile = join(config.dataDir, keyFileName);
  if (existsSync(keyFile)) {
    throw new UserError("data_dir_not_empty", `${keyFile} is there already; a restore overwrites nothing.`, {
      hint: "Restore into a new data directory: --data-dir or THREADMILL_DATA_DIR.",
    });
  }
  if (config.secretKey !== undefined) await checkKey(file, config.secretKey);
  return withDatabase(config, { say, create: true, alone: true }, async ({ pool }) => {
    const { header, rows, files } = await restore({ pool, path: file, migrations: migrationsFolder });
    const key = files.get(keyFileName);
    const written = key !== undefined && config.secretKey === undefined;
    if (written) await writeKey(config, keyFile, key);
    const count = Object.values(rows).reduce((sum, each) => sum + each, 0);
    const where = key === undefined ? "The backup holds no secret key: set THREADMILL_SECRET_KEY." : written ? `The secret key is in ${keyFile}.` : "The secret key is that of THREADMILL_SECRET_KEY.";
    return {
      json: { file, created_at, program_version, schema: header.migrations.at(-1)?.name ?? null, secret_key: key !== undefined, rows },
      text: `Restored ${count} rows in ${Object.keys(rows).length} tables, as of ${created_at}. ${where}`,
    };
  });
}

/** With another key than the backup's its secrets could never be read; better to hear of it before anything is done. */
async function checkKey(file: string, given: string): Promise<void> {
  for await (const { name, content } of readMembers(file)) {
    if (name !== `files/${keyFileName}`) continue;
    const kept = decodeSecretKey(content.toString("utf8"));
    if (kept !== undefined && Buffer.compare(kept, decodeSecretKey(given) as Uint8Array) === 0) return;
    throw new UserError("secret_key_differs", "THREADMILL_SECRET_KEY is not the key of this backup.", {
      hint: "Unset it to restore the backup's own key into the data directory.",
    });
  }
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
