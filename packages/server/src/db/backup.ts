import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Client, ClientBase, Pool } from "pg";
import { to as copyTo } from "pg-copy-streams";
import { type Pack, pack } from "tar-stream";
import { readCatalog } from "./backup-catalog.ts";
import {
  type BackupHeader,
  type BackupManifest,
  FORMAT,
  FORMAT_VERSION,
  HASH_RECORD,
  HEADER,
  MANIFEST,
  type TableShape,
  sha256,
} from "./backup-format.ts";
import { quoteName } from "./partitions.ts";
import { allowLongTransaction, transaction } from "./transaction.ts";

/** Members are held in memory whole, on both sides. */
const MEMBER_BYTES = 4 * 1024 * 1024;

/** What to put into a backup. */
export interface BackupOptions {
  readonly pool: Pool;
  readonly programVersion: string;
  /** An instant. */
  readonly now: string;
  /** What else belongs to the installation (its secret key), by name. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/** What a backup came to hold. */
export interface BackupSummary {
  readonly schemaVersion: string | undefined;
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * Writes a backup to a file, readable by its owner only, which appears under its name when it is whole and on disk. The
 * server goes on serving; the backup is its state at one moment. Takes one connection for as long as it lasts.
 */
export async function backupToFile(options: BackupOptions, path: string): Promise<BackupSummary> {
  const unfinished = `${path}.part`;
  try {
    const summary = await backupToStream(options, createWriteStream(unfinished, { mode: 0o600 }));
    const handle = await open(unfinished, "r+");
    await handle.sync();
    await handle.close();
    await rename(unfinished, path);
    return summary;
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** The same into any stream, which it ends. On an error the stream is destroyed: what it got is not a backup. */
export async function backupToStream(options: BackupOptions, output: Writable): Promise<BackupSummary> {
  const archive = pack();
  // a low level: the cores are shared with the engine loop
  const writing = pipeline(archive as unknown as NodeJS.ReadableStream, createGzip({ level: 3 }), output);
  // never settles unless the output fails
  const failure = new Promise<never>((_, reject) => {
    writing.catch(reject);
  });
  failure.catch(() => {});
  const begin = "begin isolation level repeatable read, read only";
  try {
    const summary = await transaction(options.pool, (client) => fill(archive, client, options, failure), { begin });
    archive.finalize();
    await writing;
    return summary;
  } catch (error) {
    archive.destroy();
    await writing.catch(() => {});
    throw error;
  }
}

async function fill(
  archive: Pack,
  client: ClientBase,
  options: BackupOptions,
  failure: Promise<never>,
): Promise<BackupSummary> {
  const members: { name: string; size: number; sha256: string }[] = [];
  const add = async (name: string, content: Uint8Array) => {
    const hash = sha256(content);
    members.push({ name, size: content.length, sha256: hash });
    // a write that fails leaves this waiting for ever, hence the race
    await Promise.race([failure, addEntry(archive, name, content, hash, options.now)]);
  };
  // how values are printed must not depend on the server's settings
  await client.query("set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres'");
  await allowLongTransaction(client);
  const header: BackupHeader = {
    format: FORMAT,
    format_version: FORMAT_VERSION,
    program_version: options.programVersion,
    created_at: options.now,
    ...(await readCatalog(client)),
  };
  if (header.tables.length > 0) {
    // so that retention drops no partition that the snapshot still shows
    await client.query(
      `lock table ${header.tables.map(({ name }) => quoteName(name)).join(", ")} in access share mode`,
    );
  }
  await add(HEADER, toJson(header));
  const rows: Record<string, number> = {};
  for (const table of header.tables) rows[table.name] = await addTable(client, table, add);
  for (const [name, content] of Object.entries(options.files ?? {})) await add(`files/${name}`, content);
  const manifest: BackupManifest = { rows, members };
  await addEntry(archive, MANIFEST, toJson(manifest), sha256(toJson(manifest)), options.now);
  return { schemaVersion: header.migrations.at(-1)?.name, rows };
}

/** Adds a table's rows, cut into members of a known size as tar wants them, and tells how many they were. */
async function addTable(
  client: ClientBase,
  { name, columns }: TableShape,
  add: (name: string, content: Uint8Array) => Promise<void>,
): Promise<number> {
  // "copy table" does not see the rows of partitions, a query does
  const stream = client.query(
    copyTo(`copy (select ${columns.map(quoteName).join(", ")} from ${quoteName(name)}) to stdout`),
  );
  let chunks: Buffer[] = [];
  let size = 0;
  let count = 0;
  const flush = async () => {
    if (size === 0) return;
    const content = Buffer.concat(chunks);
    chunks = [];
    size = 0;
    await add(`tables/${name}/${String(++count).padStart(6, "0")}.copy`, content);
  };
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= MEMBER_BYTES) await flush();
    }
  } catch (error) {
    hangUp(client);
    throw error;
  }
  await flush();
  // the count comes after the last byte: it is there once the connection takes the next statement
  await client.query("select 1");
  return stream.rowCount;
}

/** A COPY that nobody reads to its end blocks its connection, where even a ROLLBACK would wait for ever. */
function hangUp(client: ClientBase): void {
  void (client as Client).end().catch(() => {});
}

function addEntry(archive: Pack, name: string, content: Uint8Array, hash: string, now: string): Promise<void> {
  const header = { name, mode: 0o600, mtime: new Date(now), pax: { [HASH_RECORD]: hash } };
  return new Promise((resolve, reject) => {
    const entry = archive.entry(header, content, (error) => (error ? reject(error) : resolve()));
    // the callback does not hear of an archive that is destroyed meanwhile, the entry does
    entry.on("error", reject);
  });
}

function toJson(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
