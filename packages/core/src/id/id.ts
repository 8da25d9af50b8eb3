import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { Id } from "../model/common.ts";
import { fromMs, type Instant, toMs } from "../time/instant.ts";

export type { Id };

/** What the ids of one root are made from: four unsigned 32-bit numbers, plain so that a left-over can hold them. */
export type Seed = readonly [number, number, number, number];

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The seed of a root (a command id, a timer, a wake, an effect's attempt) of an organization: 128 bits of a SHA-256. */
export function rootSeed(organization: Id, root: string): Seed {
  const hash = sha256(utf8ToBytes(`${organization}\0${root}`));
  const view = new DataView(hash.buffer, hash.byteOffset);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}

/**
 * The n-th id of a root, a UUIDv7 of the instant; the same for the same three. n is an unsigned 32-bit number, else
 * RangeError. Two n of one seed and instant never give the same id, as n goes through steps that can be undone into 32
 * of its bits; over seeds the chance is that of 74 random bits.
 */
export function mintId(at: Instant, seed: Seed, n: number): Id {
  if (n >>> 0 !== n) throw new RangeError(`${n} is no number of an id`);
  const a = mix(mix(n ^ seed[0]) + seed[1]);
  const b = mix(a ^ seed[2]);
  const c = mix(b + seed[3]);
  // 74 bits: ten of c and two of a, then fourteen of a, then sixteen of a and all of b
  const high = 0x7000 | ((c & 0x3ff) << 2) | (a >>> 30);
  const low = 0x8000 | ((a >>> 16) & 0x3fff);
  return `${timeHex(at)}-${hex4(high)}-${hex4(low)}-${hex4(a & 0xffff)}${hex4(b >>> 16)}${hex4(b & 0xffff)}`;
}

/** Whether something is an id in its one form: a UUIDv7 in lower case. */
export const isId = (text: unknown): text is Id => typeof text === "string" && form.test(text);

/** The instant at which an id was made. Throws RangeError for what is no id. */
export function idInstant(id: Id): Instant {
  if (!isId(id)) throw new RangeError(`not an id: ${JSON.stringify(id)}`);
  return fromMs(Number.parseInt(id.slice(0, 8), 16) * 0x10000 + Number.parseInt(id.slice(9, 13), 16));
}

/** The lowest id that an instant can have: where a scan of ids by time begins, or ends before. */
export const firstIdAt = (at: Instant): Id => `${timeHex(at)}-7000-8000-000000000000`;

/** Milliseconds of an instant as the first two groups of a UUID. Throws RangeError before 1970. */
function timeHex(at: Instant): string {
  const ms = toMs(at);
  if (ms < 0) throw new RangeError(`no id has the instant ${at}`);
  const high = Math.floor(ms / 0x10000);
  return `${hex4(high >>> 16)}${hex4(high & 0xffff)}-${hex4(ms - high * 0x10000)}`;
}

/** Spreads every bit of a 32-bit number over all of them; a bijection. The multipliers are those of MurmurHash3's end. */
function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Sixteen bits as four hex digits; by character codes, as `toString(16)` and padding take four times as long. */
const hex4 = (bits: number): string =>
  String.fromCharCode(digit(bits >>> 12), digit((bits >>> 8) & 15), digit((bits >>> 4) & 15), digit(bits & 15));

const digit = (value: number): number => (value < 10 ? 48 + value : 87 + value);
