import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { Id } from "../model/common.ts";
import { fromMs, type Instant, toMs } from "../time/instant.ts";

export type { Id };

/** What the ids of one root are made from: four unsigned 32-bit numbers, plain so that a left-over can hold them. */
export type Seed = readonly [number, number, number, number];

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The seeds of an organization's roots; made once for all of them, as it costs a SHA-256. */
export function seedsOf(organization: Id): (root: string) => Seed {
  const own = hashed(organization);
  return (root) => {
    // a command's id is random enough by itself; what is no id (a timer, a wake, an effect's attempt) is hashed
    if (!form.test(root)) return hashed(`${organization}\0${root}`);
    return [
      mix(word(root, 0, 4) ^ own[0]),
      mix(((word(root, 9, 2) << 16) | word(root, 14, 2)) ^ own[1]),
      mix(((word(root, 19, 2) << 16) | word(root, 24, 2)) ^ own[2]),
      mix(word(root, 28, 4) ^ own[3]),
    ];
  };
}

/** The seed of a root (a command id, a timer, a wake, an effect's attempt) of an organization. */
export const rootSeed = (organization: Id, root: string): Seed => seedsOf(organization)(root);

/** 128 bits of a SHA-256. */
function hashed(text: string): Seed {
  const hash = sha256(utf8ToBytes(text));
  const view = new DataView(hash.buffer, hash.byteOffset);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}

/** So many bytes written as hex digits in a text, as a number. */
function word(text: string, from: number, bytes: number): number {
  let value = 0;
  for (let at = from; at < from + bytes * 2; at += 1) {
    const code = text.charCodeAt(at);
    value = (value << 4) | (code < 58 ? code - 48 : code - 87);
  }
  return value;
}

/**
 * The ids of a root at an instant by their numbers: UUIDv7, the same for the same three. n is an unsigned 32-bit number,
 * else RangeError. Two n of one seed and instant never give the same id, as n goes through steps that can be undone into 32
 * of its bits; over seeds the chance is that of 74 random bits.
 */
export function minter(at: Instant, seed: Seed): (n: number) => Id {
  const time = `${timeHex(at)}-7`;
  return (n) => {
    if (n >>> 0 !== n) throw new RangeError(`${n} is no number of an id`);
    const a = mix(mix(n ^ seed[0]) + seed[1]);
    const b = mix(a ^ seed[2]);
    const c = mix(b + seed[3]);
    // 74 bits: ten of a and two of c, then fourteen of c, then sixteen of c and all of b. All of c, as it alone has seen
    // the seed's last word, in which one command's id differs from the next. In one call, as it makes one text where pieces
    // put together make ten.
    return (
      time +
      String.fromCharCode(
        digit((a >>> 6) & 15),
        digit((a >>> 2) & 15),
        digit(((a & 3) << 2) | (c >>> 30)),
        dash,
        digit(8 | ((c >>> 28) & 3)),
        digit((c >>> 24) & 15),
        digit((c >>> 20) & 15),
        digit((c >>> 16) & 15),
        dash,
        digit((c >>> 12) & 15),
        digit((c >>> 8) & 15),
        digit((c >>> 4) & 15),
        digit(c & 15),
        digit(b >>> 28),
        digit((b >>> 24) & 15),
        digit((b >>> 20) & 15),
        digit((b >>> 16) & 15),
        digit((b >>> 12) & 15),
        digit((b >>> 8) & 15),
        digit((b >>> 4) & 15),
        digit(b & 15),
      )
    );
  };
}

/** The n-th id of a root, as `minter` gives it. */
export const mintId = (at: Instant, seed: Seed, n: number): Id => minter(at, seed)(n);

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

const dash = 45;
const digit = (value: number): number => (value < 10 ? 48 + value : 87 + value);
