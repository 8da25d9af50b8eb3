import { randomBytes } from "node:crypto";
import { mintId } from "@threadmill/core";

/** A fresh UUIDv7 for what is made at an instant outside the mill. */
export function newId(at: string): string {
  const random = randomBytes(16);
  const word = (n: number) => random.readUInt32BE(n * 4);
  return mintId(at, [word(0), word(1), word(2), word(3)], 0);
}
