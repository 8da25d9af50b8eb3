import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { chooseAccount, isRoot } from "./account.ts";
import { type NativePackage, findNativePackage, makeLinks, prepareBinaries } from "./binaries.ts";

const cleanups: string[] = [];
afterEach(async () => {
  for (const path of cleanups.splice(0)) await rm(path, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "threadmill-binaries-"));
  await chmod(path, 0o755);
  cleanups.push(path);
  return path;
}

async function linkTargets(native: string): Promise<string[]> {
  const list = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as { target: string }[];
  return list.map(({ target }) => join(native, relative("native", target)));
}

/** The package as npm leaves it when install scripts are off. */
async function freshPackage(): Promise<NativePackage> {
  const { native, label } = await findNativePackage();
  const copy = join(await folder(), "native");
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  for (const link of await linkTargets(copy)) await rm(link, { force: true });
  return { native: copy, label };
}

test("links that no install script made are made in place", async () => {
  const fresh = await freshPackage();
  const elsewhere = await folder();
  const binaries = await prepareBinaries(chooseAccount([]), [elsewhere], fresh);
  expect(binaries.postgres.startsWith(fresh.native)).toBe(true);
  expect(binaries.major).toBe("18");
  for (const link of await linkTargets(fresh.native)) expect((await lstat(link)).isSymbolicLink()).toBe(true);
  // again, and at once, changes nothing
  await Promise.all([makeLinks(fresh.native), makeLinks(fresh.native)]);
});

describe.runIf(isRoot())("as root", () => {
  test("programs out of reach are copied, once, and node_modules stays as it was", async () => {
    const fresh = await freshPackage();
    await chmod(join(fresh.native, ".."), 0o700);
    const unusable = await folder();
    await chmod(unusable, 0o700);
    const place = join(await folder(), "bin");
    const [one, two] = await Promise.all(
      [1, 2].map(() => prepareBinaries(chooseAccount([]), [unusable, place], fresh)),
    );
    expect(one?.postgres).toBe(join(place, fresh.label, "bin", "postgres"));
    expect(two).toEqual(one);
    await expect(lstat((await linkTargets(fresh.native))[0] ?? "")).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a copy that others could have put there is not run", async () => {
    const fresh = await freshPackage();
    await chmod(join(fresh.native, ".."), 0o700);
    const place = await folder();
    await mkdir(join(place, fresh.label));
    await chmod(join(place, fresh.label), 0o777);
    const attempt = prepareBinaries(chooseAccount([]), [place], fresh);
    await expect(attempt).rejects.toMatchObject({ code: "binaries_missing" });
    await expect(attempt).rejects.toThrow("can be written by others");
  });
});
