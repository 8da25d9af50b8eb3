import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keyFileName, openKeyFile } from "./key-file.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "threadmill-key-"));
});
afterEach(() => rm(dir, { recursive: true }));

test("the first open makes the key, later ones read it", async () => {
  const dataDir = join(dir, "data");
  const first = await openKeyFile(dataDir);
  expect(first).toMatchObject({ created: true, exposed: false, path: join(dataDir, keyFileName) });
  expect(first.key.length).toBe(32);
  expect(await openKeyFile(dataDir)).toEqual({ ...first, created: false });
  if (process.platform !== "win32") {
    expect((await stat(first.path)).mode & 0o777).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  }
});

test("processes that start together get one key, and leave no drafts", async () => {
  const opened = await Promise.all(Array.from({ length: 8 }, () => openKeyFile(dir)));
  expect(new Set(opened.map(({ key }) => Buffer.from(key).toString("hex"))).size).toBe(1);
  expect(opened.filter(({ created }) => created)).toHaveLength(1);
  expect(await readdir(dir)).toEqual([keyFileName]);
});

test("a file that holds no key is refused and left as it is", async () => {
  await writeFile(join(dir, keyFileName), "oops");
  await expect(openKeyFile(dir)).rejects.toThrow("does not hold a key");
  expect((await stat(join(dir, keyFileName))).size).toBe(4);
});

test.skipIf(process.platform === "win32")("a file that others may read is reported", async () => {
  const { path } = await openKeyFile(dir);
  await chmod(path, 0o644);
  expect((await openKeyFile(dir)).exposed).toBe(true);
});

test("a data directory that is a file is a fault", async () => {
  const file = join(dir, "file");
  await writeFile(file, "");
  await expect(openKeyFile(file)).rejects.toMatchObject({ code: "EEXIST" });
});
