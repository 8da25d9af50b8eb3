import { randomBytes } from "node:crypto";
import { hashToken } from "../secrets/token.ts";

const howMany = 10;
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
const mark = "sha256:";

/** Makes recovery codes: 80 random bits each, in four groups, without letters and digits that look alike. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: howMany }, () => {
    const letters = Array.from(randomBytes(16), (byte) => alphabet[byte % alphabet.length] as string).join("");
    return (letters.match(/.{4}/g) as string[]).join("-");
  });
}

/** What is kept and compared instead of a code. They are random, so a fast hash keeps them. Case and blanks do not matter. */
export function hashRecoveryCode(code: string): string {
  return mark + hashToken(code.toLowerCase().replace(/[^a-z0-9]/g, ""));
}

/** A list of codes, as JSON, as it is kept: by hashes. Those that are hashes already, of a list that was kept, stay. */
export async function storedRecoveryCodes(json: string): Promise<string> {
  const codes = JSON.parse(json) as string[];
  return JSON.stringify(codes.map((code) => (code.startsWith(mark) ? code : hashRecoveryCode(code))));
}
