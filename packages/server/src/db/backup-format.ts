import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { DatabaseFault } from "./fault.ts";
import type { AppliedMigration } from "./migrate.ts";
import type { RelationStorage } from "./storage.ts";

// A backup is one gzip'd tar file:
//
//   header.json                  what it takes to make the schema again
//   tables/<table>/<n>.copy      rows in COPY's text format, cut anywhere; tables in the order of their foreign keys
//   files/<name>                 what else belongs to an installation (its secret key)
//   manifest.json                rows and members: its presence tells that the file is whole

export const FORMAT = "threadmill-backup";
export const FORMAT_VERSION = 1;
export const HEADER = "header.json";
export const MANIFEST = "manifest.json";

/** The pax record of a member's hash: known before the member is used, unlike a list at the end. */
export const HASH_RECORD = "THREADMILL.sha256";

/** A table and the columns its rows are stored in. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
}

/** The first member of a backup. */
export interface BackupHeader {
  readonly format: typeof FORMAT;
  readonly format_version: number;
  readonly program_version: string;
  readonly postgres_version: string;
  /** An instant. */
  readonly created_at: string;
  /** What the database had been through; the last one is its schema version. */
  readonly migrations: readonly AppliedMigration[];
  readonly tables: readonly TableShape[];
  readonly partitions: readonly { readonly table: string; readonly name: string; readonly bound: string }[];
  /** absent in backups of before it was kept */
  readonly storage?: readonly RelationStorage[];
  readonly sequences: readonly { readonly name: string; readonly value: string }[];
}

/** The last member of a backup. */
export interface BackupManifest {
  readonly rows: Readonly<Record<string, number>>;
  readonly members: readonly { readonly name: string; readonly size: number; readonly sha256: string }[];
}

/** One member, whole: they are cut small enough to be held in memory. */
export interface Member {
  readonly name: string;
  readonly content: Buffer;
  readonly sha256: string;
}

export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The fault of a file that is no backup, or no longer one. */
export function damaged(path: string, what: string, cause?: unknown): DatabaseFault {
  return new DatabaseFault(
    "backup_damaged",
    `${path} is not a whole threadmill backup: ${what}. Nothing was restored.`,
    cause,
  );
}

/** Reads a backup's members in order, each checked against its hash. Throws `backup_damaged`. */
export async function* readMembers(path: string): AsyncGenerator<Member> {
  const members = extract();
  const abort = new AbortController();
  const reading = pipeline(createReadStream(path), createGunzip(), members as unknown as NodeJS.WritableStream, {
    signal: abort.signal,
  });
  // the loop below sees a failure too; here it only must not count as unhandled
  reading.catch(() => {});
  try {
    for await (const entry of members) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      const content = Buffer.concat(chunks);
      const { name } = entry.header;
      const hash = sha256(content);
      const expected = (entry.header.pax as Record<string, string> | null | undefined)?.[HASH_RECORD];
      if (hash !== expected) throw damaged(path, `the checksum of ${name} is wrong`);
      yield { name, content, sha256: hash };
    }
    await reading;
  } catch (error) {
    if (error instanceof DatabaseFault) throw error;
    const told = await reading.then(
      () => error,
      (failure: unknown) => failure,
    );
    throw damaged(path, told instanceof Error ? told.message : String(told), error);
  } finally {
    abort.abort();
  }
}

/** Reads what a backup says about itself. Throws `backup_damaged` or `backup_not_supported`. */
export function parseHeader(path: string, member: Member | undefined): BackupHeader {
  if (member?.name !== HEADER) throw damaged(path, "it does not begin with its header");
  const header = JSON.parse(member.content.toString("utf8")) as BackupHeader;
  if (header.format !== FORMAT) throw damaged(path, "its header is of something else");
  if (header.format_version !== FORMAT_VERSION) {
    throw new DatabaseFault(
      "backup_not_supported",
      `${path} has the backup format ${header.format_version}; this threadmill reads ${FORMAT_VERSION}.`,
    );
  }
  return header;
}

/** Reads the header alone, for a person who wants to know what a file is. */
export async function inspectBackup(path: string): Promise<BackupHeader> {
  for await (const member of readMembers(path)) return parseHeader(path, member);
  return parseHeader(path, undefined);
}
