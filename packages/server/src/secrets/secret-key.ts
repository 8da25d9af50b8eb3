/** Length of the secret key in bytes: AES-256. */
export const secretKeyBytes = 32;

/** Reads a secret key written as 64 hex digits, base64 or base64url; undefined when it is not 32 bytes so written. */
export function decodeSecretKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, "hex");
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed)) return undefined;
  const key = Buffer.from(trimmed, "base64");
  return key.length === secretKeyBytes ? key : undefined;
}

/** Writes a secret key the way the key file keeps it: base64. */
export function encodeSecretKey(key: Uint8Array): string {
  return Buffer.from(key).toString("base64");
}
