import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { onServer } from "../../testing/test-database.ts";
import { isRoot } from "./account.ts";
import { findCluster } from "./place.ts";
import { type EmbeddedOptions, startEmbedded } from "./start.ts";
import { houseFor, ownHouse } from "./test-house.ts";

const said: string[] = [];
const log = { info: (text: string) => said.push(text), warn: (text: string) => said.push(text) };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  said.length = 0;
});

/** A folder that every account can pass through, as opposed to mkdtemp's own. */
async function openFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "threadmill-embedded-"));
  await chmod(path, 0o755);
  cleanups.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function start(dataDir: string, more: Partial<EmbeddedOptions> = {}) {
  const server = await startEmbedded({ dataDir, log, ...more });
  cleanups.push(() => server.stop());
  return server;
}

const query = async (url: string, sql: string) =>
  (await onServer(url, (client) => client.query(sql))).rows as unknown[];

/** Starts the same in a process of its own and gives what it says first: the server's port, pid and url, or an error. */
async function startElsewhere(dataDir: string, identity: { uid?: number; gid?: number } = {}, house = ownHouse) {
  const script = `
    const { startEmbedded } = await import(${JSON.stringify(house.start)});
    const log = { info() {}, warn() {} };
    const options = { dataDir: ${JSON.stringify(dataDir)}, log };
    const said = await startEmbedded(options).catch((error) => ({ code: error.code, message: error.message }));
    process.stdout.write(JSON.stringify(said) + "\\n");
    if (said.url !== undefined) setInterval(() => {}, 1000);`;
  const child = spawn(house.node, ["--input-type=module", "-e", script], {
    ...identity,
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanups.push(() => kill(child));
  let text = "";
  for await (const chunk of child.stdout) {
    text += String(chunk);
    if (text.endsWith("\n")) break;
  }
  return { child, said: JSON.parse(text) as { url: string; pid: number; code?: string; message?: string } };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

test("starts, keeps its data over a restart, and lets go of everything", async () => {
  const dataDir = join(await openFolder(), "data");
  const first = await startEmbedded({ dataDir, log });
  expect(first.cluster).toBe(join(dataDir, "postgres"));
  expect(await findCluster(dataDir)).toBe(first.cluster);
  await query(first.url, "create table kept as select 'Grüße'::text as text");
  await first.stop();
  await expect(query(first.url, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(existsSync(join(first.cluster, "postmaster.pid"))).toBe(false);

  const second = await start(dataDir);
  expect(await query(second.url, "select text from kept")).toEqual([{ text: "Grüße" }]);
  expect(said).toEqual([]);
});

test("is durable, strict in its encoding, and private", async () => {
  const dataDir = join(await openFolder(), "data");
  const server = await start(dataDir);
  const [settings] = await query(
    server.url,
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
       current_setting('full_page_writes') as pages, current_setting('data_checksums') as checksums,
       current_setting('listen_addresses') as listens, current_setting('server_encoding') as encoding,
       (select datlocprovider::text || ' ' || datlocale from pg_database where datname = current_database()) as locale,
       (select count(*)::int from pg_file_settings where error is not null) as errors`,
  );
  expect(settings).toEqual({
    fsync: "on",
    commit: "on",
    pages: "on",
    checksums: "on",
    listens: "127.0.0.1",
    encoding: "UTF8",
    locale: "b C.UTF-8",
    errors: 0,
  });
  expect((await stat(join(dataDir, "postgres.password"))).mode & 0o777).toBe(0o600);
  expect((await stat(server.cluster)).mode & 0o777).toBe(0o700);
  const wrong = new URL(server.url);
  wrong.password = "guess";
  await expect(query(wrong.href, "select 1")).rejects.toMatchObject({ code: "28P01" });
});

test.runIf(process.platform === "linux")(
  "PostgreSQL, whose account others may share, does not get our environment",
  async () => {
    const { pid } = await start(join(await openFolder(), "data"));
    const names = (await readFile(`/proc/${pid}/environ`, "utf8"))
      .split("\0")
      .map((entry) => entry.split("=")[0] ?? "");
    expect(names.filter((name) => !["PATH", "LC_ALL", ""].includes(name) && !name.startsWith("PG"))).toEqual([]);
  },
);

test("a second process on the same directory is told who has it", async () => {
  const dataDir = join(await openFolder(), "data");
  await start(dataDir);
  await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({ code: "data_dir_in_use" });
  const { said: answer } = await startElsewhere(dataDir);
  expect(answer.code).toBe("data_dir_in_use");
  expect(answer.message).toContain(`(pid ${process.pid})`);
});

test("after kill -9 of threadmill the next start stops what it left running, and loses nothing", async () => {
  const dataDir = join(await openFolder(), "data");
  const { child, said: left } = await startElsewhere(dataDir);
  await query(left.url, "create table kept as select 1 as n");
  const client = new Client({ connectionString: left.url });
  client.on("error", () => {});
  await client.connect();
  await kill(child);
  expect((await client.query("select n from kept")).rows).toEqual([{ n: 1 }]);

  const server = await start(dataDir);
  expect(said).toEqual(["A PostgreSQL left over from a killed threadmill was stopped."]);
  await expect(client.query("select 1")).rejects.toThrow(/terminat|not queryable/);
  expect(await query(server.url, "select n from kept")).toEqual([{ n: 1 }]);
});

test("after kill -9 of PostgreSQL itself with a statement running it recovers", async () => {
  const dataDir = join(await openFolder(), "data");
  const first = await startEmbedded({ dataDir, log });
  await query(first.url, "create table kept as select 1 as n");
  const client = new Client({ connectionString: first.url });
  client.on("error", () => {});
  await client.connect();
  const running = client.query("select pg_sleep(60)").catch(String);
  process.kill(first.pid, "SIGKILL");
  await first.exited;
  await first.stop();
  const second = await start(dataDir);
  expect(await running).toMatch(/terminat/);
  expect(await query(second.url, "select n from kept")).toEqual([{ n: 1 }]);
});

test.each([
  ["a process that is gone", () => 2 ** 22 - 3],
  ["another program", () => process.pid],
])("a stale postmaster.pid that names %s does no harm", async (_, pid) => {
  const dataDir = join(await openFolder(), "data");
  const first = await startEmbedded({ dataDir, log });
  await first.stop();
  await writeFile(
    join(first.cluster, "postmaster.pid"),
    `${pid()}\n${first.cluster}\n1700000000\n5432\n\n127.0.0.1\n  5432001 0\nready   \n`,
  );
  expect(await query((await start(dataDir)).url, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("refuses a cluster of another major version, naming the way", async () => {
  const dataDir = join(await openFolder(), "data");
  const first = await startEmbedded({ dataDir, log });
  await first.stop();
  await writeFile(join(first.cluster, "PG_VERSION"), "17\n");
  const attempt = startEmbedded({ dataDir, log });
  await expect(attempt).rejects.toMatchObject({ code: "postgres_major_mismatch" });
  await expect(attempt).rejects.toThrow("`threadmill restore`");
});

test("a taken port is an error when it was asked for", async () => {
  const folder = await openFolder();
  const { port } = await start(join(folder, "one"));
  const attempt = startEmbedded({ dataDir: join(folder, "two"), log, port });
  await expect(attempt).rejects.toMatchObject({ code: "postgres_start_failed" });
  await expect(attempt).rejects.toThrow("could not bind");
  // and the directory is free again
  await start(join(folder, "two"));
});

test("an interrupted first start is begun anew, a lost password set anew", async () => {
  const dataDir = join(await openFolder(), "data");
  await mkdir(join(dataDir, ".postgres.new", "base"), { recursive: true });
  const first = await startEmbedded({ dataDir, log });
  await first.stop();
  await rm(join(dataDir, "postgres.password"));
  const second = await start(dataDir);
  expect(second.url.replace(/:\d+\//, "")).not.toBe(first.url.replace(/:\d+\//, ""));
  expect(await query(second.url, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("an operator's own settings win", async () => {
  const dataDir = join(await openFolder(), "data");
  const first = await startEmbedded({ dataDir, log });
  await first.stop();
  await writeFile(join(first.cluster, "local.conf"), "work_mem = '5MB'\n");
  expect(await query((await start(dataDir)).url, "show work_mem")).toEqual([{ work_mem: "5MB" }]);
});

describe.runIf(isRoot())("as root", () => {
  async function hidden() {
    const home = await openFolder();
    await chmod(home, 0o700);
    await mkdir(join(home, "clone"));
    return { clone: join(home, "clone"), systemDirs: [join(await openFolder(), "system")] };
  }

  test("below a private folder the cluster lives elsewhere, and is found again", async () => {
    const { clone, systemDirs } = await hidden();
    const dataDir = join(clone, ".threadmill");
    const first = await startEmbedded({ dataDir, log, systemDirs });
    expect(first.cluster.startsWith(`${systemDirs[0]}/`)).toBe(true);
    expect(await findCluster(dataDir)).toBe(first.cluster);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(first.cluster.slice(0, -"/postgres".length));
    await query(first.url, "create table kept as select 1 as n");
    await first.stop();

    // moving the data directory is fine, copying it is not
    const moved = join(clone, "moved");
    await rename(dataDir, moved);
    const second = await startEmbedded({ dataDir: moved, log, systemDirs });
    expect(await query(second.url, "select n from kept")).toEqual([{ n: 1 }]);
    await cp(moved, join(clone, "copy"), { recursive: true });
    await expect(startEmbedded({ dataDir: join(clone, "copy"), log, systemDirs })).rejects.toMatchObject({
      code: "data_dir_copied",
    });
    await second.stop();

    // a new directory at the old name begins anew and leaves the other alone
    const third = await startEmbedded({ dataDir, log, systemDirs });
    expect(third.cluster).not.toBe(first.cluster);
    await third.stop();

    await rm(first.cluster, { recursive: true });
    await expect(startEmbedded({ dataDir: moved, log, systemDirs })).rejects.toMatchObject({ code: "cluster_missing" });
  });

  test("the data directory itself may be private: it is opened for passing through only", async () => {
    const dataDir = join(await openFolder(), "data");
    await mkdir(dataDir, { mode: 0o700 });
    const { cluster } = await start(dataDir);
    expect(cluster).toBe(join(dataDir, "postgres"));
    expect((await stat(dataDir)).mode & 0o777).toBe(0o701);
  });

  test("the checkout's owner runs it, so that sudo changes nothing", async () => {
    const home = await openFolder();
    await mkdir(join(home, "clone"));
    await chown(join(home, "clone"), 65534, 65534);
    const { cluster } = await start(join(home, "clone", ".threadmill"));
    expect((await stat(cluster)).uid).toBe(65534);
  });

  test("a cluster that was copied as root gets its owner back", async () => {
    const folder = await openFolder();
    const first = await startEmbedded({ dataDir: join(folder, "one"), log });
    await first.stop();
    await cp(join(folder, "one"), join(folder, "two"), { recursive: true });
    expect((await stat(join(folder, "two", "postgres"))).uid).toBe(0);
    expect(await query((await start(join(folder, "two"))).url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("an ordinary user runs it as himself, and keeps off what root's start made", async () => {
    const folder = await openFolder();
    const home = join(folder, "home");
    await mkdir(home, { mode: 0o700 });
    await chown(home, 65534, 65534);
    const nobody = { name: "nobody", uid: 65534, gid: 65534 };
    const house = await houseFor(nobody, folder);
    const { child, said: own } = await startElsewhere(join(home, "data"), nobody, house);
    expect(await query(own.url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect((await stat(join(home, "data", "postgres"))).uid).toBe(65534);
    await kill(child);
    // root takes over what that process left, as its owner
    const server = await startEmbedded({ dataDir: join(home, "data"), log });
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
    await server.stop();

    const rooted = await startEmbedded({ dataDir: join(folder, "rooted"), log });
    await rooted.stop();
    expect((await startElsewhere(join(folder, "rooted"), nobody, house)).said.code).toBe("data_dir_not_yours");
  });
});
