import { TextDecoder } from "node:util";
import type { Json } from "@threadmill/core";
import type { Place } from "../../lanes/port.ts";
import { type JobFiles, partBytes } from "../files.ts";
import { findEncoding } from "./encoding.ts";
import { findSeparator, NoTable, readRecords, recordBytes, type Separator } from "./records.ts";

/** The largest table that is taken, in bytes as it comes. */
export const uploadBytes = 200 * 1024 * 1024;
/** From so much of its beginning its encoding and separator are found out. */
const sampleBytes = 64 * 1024;
/** An upload that is not imported is removed after so long. */
const uploadHours = 48;

/** What is known of an uploaded table. */
export interface TableFacts {
  readonly [name: string]: Json;
  readonly encoding: string;
  readonly separator: Separator;
  /** of the first row */
  readonly columns: readonly string[];
  /** rows behind the first, about: what stands in quotes over several lines is one */
  readonly rows: number;
  /** characters that this encoding does not know; where there are many it is another */
  readonly unreadable: number;
}

/** The upload is larger than any that is taken. */
export class UploadTooLarge extends Error {}

/** What an upload says of itself. */
export interface Upload {
  readonly name: string;
  readonly by: string | null;
  /** null: to be found out */
  readonly encoding: string | null;
  readonly separator: Separator | null;
}

/**
 * Keeps a table as it comes in, in UTF-8, holding no more than a few parts of it at a time; all that is read later goes by
 * places in that. What is broken off leaves an incomplete file, which is removed with its time. Throws `UploadTooLarge`
 * and `NoTable`.
 */
export async function receiveTable(
  files: JobFiles,
  place: Place,
  stream: AsyncIterable<Buffer>,
  upload: Upload,
): Promise<string> {
  const id = await files.create(place, {
    name: upload.name,
    mediaType: "text/csv; charset=utf-8",
    job: null,
    by: upload.by,
    hours: uploadHours,
  });
  const writer = new TableWriter((bytes) => files.append(place, id, bytes), upload.encoding);
  let taken = 0;
  try {
    for await (const chunk of stream) {
      taken += chunk.length;
      if (taken > uploadBytes) throw new UploadTooLarge(`A table has ${uploadBytes} bytes at most`);
      await writer.write(chunk);
    }
    await writer.end();
  } catch (error) {
    await files.remove(place, id).catch(() => {});
    throw error;
  }
  const sample = await files.read(place, id, 0, 2 * recordBytes);
  const all = sample.length < 2 * recordBytes;
  const separator = upload.separator ?? findSeparator(sample, all);
  const [columns] = readRecords(sample, { separator, most: 1, all }).records;
  if (columns === undefined) throw new NoTable("There is no row in it");
  const facts: TableFacts = {
    encoding: writer.encoding,
    separator,
    columns: columns.map((column) => column.trim()),
    rows: Math.max(0, writer.lines - 1),
    unreadable: writer.unreadable,
  };
  await files.complete(place, id, facts);
  return id;
}

const [quote, newline, carriage] = [0x22, 0x0a, 0x0d];

/** Turns bytes of some encoding into parts of UTF-8, and counts on the way. */
class TableWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  #encoding: string | null;
  #decoder: TextDecoder | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ready: Buffer[] = [];
  #readyBytes = 0;
  #quoted = false;
  #line = false;
  lines = 0;
  unreadable = 0;

  constructor(write: (bytes: Uint8Array) => Promise<void>, encoding: string | null) {
    this.#write = write;
    this.#encoding = encoding;
  }

  get encoding(): string {
    return this.#encoding ?? "utf-8";
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#decoder === null) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#heldBytes < sampleBytes) return;
      await this.#begin();
      return;
    }
    await this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  async end(): Promise<void> {
    const decoder = this.#decoder ?? (await this.#begin());
    await this.#take(decoder.decode());
    if (this.#line) this.lines += 1;
    await this.#flush();
  }

  async #begin(): Promise<TextDecoder> {
    const sample = Buffer.concat(this.#held);
    this.#held = [];
    this.#encoding ??= findEncoding(sample);
    const decoder = new TextDecoder(this.#encoding);
    this.#decoder = decoder;
    await this.#take(decoder.decode(sample, { stream: true }));
    return decoder;
  }

  async #take(text: string): Promise<void> {
    if (text === "") return;
    // no table of ours takes a NUL
    const bytes = Buffer.from(text.replaceAll("\0", ""));
    for (const byte of bytes) {
      if (byte === quote) this.#quoted = !this.#quoted;
      if (byte === newline || byte === carriage) {
        if (this.#line && !this.#quoted) {
          this.lines += 1;
          this.#line = false;
        }
      } else this.#line = true;
    }
    for (let at = text.indexOf("\uFFFD"); at !== -1; at = text.indexOf("\uFFFD", at + 1)) this.unreadable += 1;
    this.#ready.push(bytes);
    this.#readyBytes += bytes.length;
    if (this.#readyBytes >= partBytes) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#ready);
    this.#ready = [];
    this.#readyBytes = 0;
    await this.#write(bytes);
  }
}
