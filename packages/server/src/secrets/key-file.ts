import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { decodeSecretKey, encodeSecretKey, secretKeyBytes } from "./secret-key.ts";

/** Name of the key file in the data directory. */
export const keyFileName = "secret.key";

/** The key kept in a data directory. */
export interface KeyFile {
  key: Uint8Array;
  path: string;
  /** It was made by this call. */
  created: boolean;
  /** Other users of the machine may read it; worth a warning. Always false on Windows, which has no such modes. */
  exposed: boolean;
}

/**
 * Reads the secret key of a data directory, and makes it (mode 0600, the directory 0700) when there is none. An existing
 * file is never overwritten, even when several processes start at once: all of them get the one key. Throws when the
 * file cannot be read or does not hold a key, because a new key would make everything sealed so far unreadable.
 */
export async function openKeyFile(dataDir: string): Promise<KeyFile> {
  const path = join(dataDir, keyFileName);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const created = !(await exists(path)) && (await createKeyFile(dataDir, path));
  const key = decodeSecretKey(await readFile(path, "utf8"));
  if (!key)
    throw new Error(`The key file ${path} does not hold a key of ${secretKeyBytes} bytes; restore it from a backup`);
  const { mode } = await stat(path);
  return { key, path, created, exposed: process.platform !== "win32" && (mode & 0o077) !== 0 };
}

/**
 * Written in full under another name, then linked: the file appears whole or not at all, and a link, unlike a rename,
 * refuses to replace what is there. Answers false when somebody else was first.
 */
async function createKeyFile(dataDir: string, path: string): Promise<boolean> {
  const draft = join(dataDir, `.${keyFileName}.${randomBytes(8).toString("hex")}`);
  await writeNew(draft);
  try {
    await link(draft, path);
    await syncDirectory(dataDir);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    // File systems without hard links: exclusive creation is still never an overwrite, only less safe in a crash.
    return await writeNew(path).then(
      () => true,
      (failure: unknown) => {
        if (codeOf(failure) === "EEXIST") return false;
        throw failure;
      },
    );
  } finally {
    await unlink(draft);
  }
}

async function writeNew(path: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(`${encodeSecretKey(randomBytes(secretKeyBytes))}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
