import { constants, existsSync } from "node:fs";
import { access, readFile, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { decodeSecretKey, keyFileName } from "@threadmill/server";
import { type Finding, finder, inLine, type Patient } from "./check.ts";

const leastMajor = 24;
const gib = 1024 ** 3;
const scarceBytes = 2 * gib;
const tooLittleBytes = gib / 4;

/** Whether this Node is new enough. */
export function checkNode({ nodeVersion }: Patient): Finding {
  const { ok, fail } = finder("node");
  if (Number.parseInt(nodeVersion, 10) >= leastMajor) return ok(`Node ${nodeVersion}`);
  return fail(`Node ${nodeVersion}, but ${leastMajor} or newer is needed`);
}

/** Whether the data directory can be used. */
export async function checkDataDir({ config: { dataDir } }: Patient): Promise<Finding> {
  const { ok, warn, fail } = finder("data directory");
  const path = resolve(dataDir);
  if (!existsSync(path)) return warn(`${path} does not exist yet; the first start makes it`);
  try {
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok(path);
  } catch (error) {
    return fail(`${path} cannot be used: ${inLine(error)}`);
  }
}

/** Whether there is room left where the data is. */
export async function checkDisk({ config: { dataDir } }: Patient): Promise<Finding> {
  const { ok, warn, fail } = finder("disk space");
  let path = resolve(dataDir);
  while (!existsSync(path)) path = dirname(path);
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const message = `${(free / gib).toFixed(1)} GiB free at ${path}`;
  if (free < tooLittleBytes) return fail(message);
  return free < scarceBytes ? warn(message) : ok(message);
}

/** Whether the secret key is there, whole and private. Makes none. */
export async function checkSecretKey({ config }: Patient): Promise<Finding> {
  const { ok, warn, fail } = finder("secret key");
  if (config.secretKey !== undefined) return ok("in THREADMILL_SECRET_KEY");
  const path = join(config.dataDir, keyFileName);
  if (!existsSync(path)) return warn(`${path} does not exist yet; the first start makes it`);
  try {
    if (decodeSecretKey(await readFile(path, "utf8")) === undefined)
      return fail(`${path} holds no key of 32 bytes; restore it from a backup`);
  } catch (error) {
    return fail(`${path} cannot be read: ${inLine(error)}`);
  }
  const { mode } = await stat(path);
  const exposed = process.platform !== "win32" && (mode & 0o077) !== 0;
  return exposed ? warn(`${path} can be read by others; chmod 600 it`) : ok(path);
}
