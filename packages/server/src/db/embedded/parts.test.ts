import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { chooseAccount, isRoot, parsePasswd, runAs } from "./account.ts";
import { lockDirectory } from "./lock.ts";
import { openLogFile } from "./log-file.ts";
import { serverSettings } from "./settings.ts";

const dir = mkdtempSync(join(tmpdir(), "threadmill-parts-"));
afterAll(() => rmSync(dir, { recursive: true }));

describe("account", () => {
  test("reads a passwd file without root and with a negative nobody", () => {
    expect(parsePasswd("# users\nroot:x:0:0:::\npostgres:x:101:104:::\nnobody:*:-2:-2:::\n\n")).toEqual([
      { name: "postgres", uid: 101, gid: 104 },
      { name: "nobody", uid: 4294967294, gid: 4294967294 },
    ]);
  });

  test.runIf(isRoot())("root prefers postgres, takes nobody, and gives up with a sentence", () => {
    expect(chooseAccount([dir], "nobody:x:65534:65534:::\npostgres:x:101:104:::\n")?.name).toBe("postgres");
    expect(chooseAccount([dir], "nobody:x:65534:65534:::\n")?.name).toBe("nobody");
    expect(() => chooseAccount([dir], "root:x:0:0:::\n")).toThrow("DATABASE_URL");
  });

  test("a program that is not there is not ok, and does not throw", async () => {
    expect(await runAs(undefined, join(dir, "nothing"), [])).toMatchObject({ ok: false });
  });
});

test("a lock is taken once, and free after its release", () => {
  const lock = lockDirectory(dir);
  expect(() => lockDirectory(dir)).toThrow(`(pid ${process.pid})`);
  lock.release();
  lock.release();
  lockDirectory(dir).release();
});

test("the log is cut at its limit, keeping what was there once more", () => {
  const path = join(dir, "postgres.log");
  writeFileSync(path, "old\n".repeat(100));
  const log = openLogFile(path, 100);
  expect(log.size()).toBe(0);
  expect(statSync(`${path}.1`).size).toBe(400);
  appendFileSync(path, "before\n");
  const from = log.size();
  appendFileSync(path, "after\n");
  expect(log.since(from)).toBe("after\n");
  log.close();
  expect(readFileSync(path, "utf8")).toBe("before\nafter\n");
});

describe("settings", () => {
  const GB = 1024 ** 3;
  const machine = { memoryBytes: 4 * GB, freeDiskBytes: 100 * GB, platform: "linux" as const };

  test("take a share of the machine, within limits", () => {
    const text = serverSettings(machine, 5432);
    expect(text).toContain("shared_buffers = '512MB'");
    expect(text).toContain("max_wal_size = '4096MB'");
    const small = serverSettings({ ...machine, memoryBytes: GB / 4, freeDiskBytes: GB }, 5432);
    expect(small).toContain("shared_buffers = '64MB'");
    expect(small).toContain("max_wal_size = '256MB'");
  });

  test("flush the drive's cache where the default would not", () => {
    expect(serverSettings({ ...machine, platform: "darwin" }, 1)).toContain("wal_sync_method = 'fsync_writethrough'");
    expect(serverSettings(machine, 1)).not.toContain("wal_sync_method");
  });
});
