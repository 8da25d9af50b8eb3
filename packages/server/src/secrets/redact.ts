import { mask } from "../observe/scrub.ts";

/**
 * Makes a function that masks known secrets in a text that comes from outside, in the spellings in which a system may
 * repeat what it was sent: as they are, percent-encoded, in JSON, in hex, and within base64 at any of its three offsets.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const spellings = [...new Set(secrets.filter((secret) => secret !== "").flatMap(spellingsOf))]
    // the longest first, so that none is left over of one that holds another
    .toSorted((a, b) => b.length - a.length);
  return (text) => spellings.reduce((scrubbed, spelling) => scrubbed.replaceAll(spelling, mask), text);
}

function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const percent = encodeURIComponent(secret.toWellFormed());
  return [
    secret,
    percent,
    new URLSearchParams([["", secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...[0, 1, 2].flatMap((offset) => within64(bytes, offset)),
  ];
}

/** What of the bytes shows in base64 when `offset` other bytes stand before them; too little to tell is left out. */
function within64(bytes: Buffer, offset: number): string[] {
  const digits = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString("base64")
    .replaceAll("=", "");
  // the digits at both ends are shared with the neighbours
  const inner = digits.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  return inner.length < 4 ? [] : [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
}
