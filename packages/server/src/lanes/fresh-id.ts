import { randomFillSync } from "node:crypto";

// random bytes are drawn in bulk: a draw for each id costs ten times as much
const pool = new Uint8Array(4096);
let used = pool.length;

/** A fresh id for an admission: a UUIDv7 of the process's clock and 74 random bits. */
export function freshId(now: number = Date.now()): string {
  if (used + 10 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let hex = "";
  for (let index = 0; index < 10; index += 1) hex += ((pool[used++] as number) | 0x100).toString(16).slice(1);
  const time = now.toString(16).padStart(12, "0");
  const variant = ((Number.parseInt(hex[3] as string, 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 19)}`;
}
