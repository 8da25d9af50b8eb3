import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { secretKeyBytes } from "./secret-key.ts";

/** What opening a sealed text answers. `unknown_key`: sealed with a key that this box does not hold. */
export type Opened = { ok: true; text: string } | { ok: false; code: "malformed" | "unknown_key" | "tampered" };

/** Seals texts for storage. */
export interface SecretBox {
  /** Names the key that `seal` uses, without giving it away: 16 hex digits. */
  readonly keyId: string;
  /** Encrypts `text`. `context` says where the result belongs (organization id, field ...); it opens only there. */
  seal(text: string, context: readonly string[]): string;
  /** Decrypts what `seal` gave for the same context. */
  open(sealed: string, context: readonly string[]): Opened;
}

const cipher = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;
const envelope = /^v1:([0-9a-f]{16}):([A-Za-z0-9_-]{16}):([A-Za-z0-9_-]{22,})$/;

/**
 * A box that seals with `key` and also opens what `earlier` keys sealed, so that keys can be changed. The envelope is
 * `v1:<key id>:<nonce>:<ciphertext and tag>`, base64url. Throws when a key is not 32 bytes long.
 */
export function openSecretBox(key: Uint8Array, earlier: readonly Uint8Array[] = []): SecretBox {
  const keys = new Map([key, ...earlier].toReversed().map((each) => [keyIdOf(each), each] as const));
  const keyId = keyIdOf(key);

  return {
    keyId,
    seal(text, context) {
      if (!text.isWellFormed())
        throw new TypeError("A text with a lone surrogate cannot be sealed without changing it");
      const nonce = randomBytes(nonceBytes);
      const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes });
      sealing.setAAD(boundData(keyId, context));
      const body = Buffer.concat([sealing.update(text, "utf8"), sealing.final(), sealing.getAuthTag()]);
      return `v1:${keyId}:${nonce.toString("base64url")}:${body.toString("base64url")}`;
    },
    open(sealed, context) {
      const parts = envelope.exec(sealed);
      if (!parts) return { ok: false, code: "malformed" };
      const [, id = "", nonce = "", text = ""] = parts;
      const openingKey = keys.get(id);
      if (!openingKey) return { ok: false, code: "unknown_key" };
      const body = Buffer.from(text, "base64url");
      const opening = createDecipheriv(cipher, openingKey, Buffer.from(nonce, "base64url"), {
        authTagLength: tagBytes,
      });
      opening.setAAD(boundData(id, context));
      opening.setAuthTag(body.subarray(body.length - tagBytes));
      try {
        const plain = Buffer.concat([opening.update(body.subarray(0, body.length - tagBytes)), opening.final()]);
        return { ok: true, text: plain.toString("utf8") };
      } catch {
        // Node tells a wrong tag only by throwing; there is nothing in the error that says more.
        return { ok: false, code: "tampered" };
      }
    },
  };
}

/** JSON keeps the parts apart: ["ab", "c"] and ["a", "bc"] must not be the same context. */
function boundData(keyId: string, context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(["threadmill v1", keyId, ...context]), "utf8");
}

function keyIdOf(key: Uint8Array): string {
  if (key.length !== secretKeyBytes)
    throw new RangeError(`A secret key has ${secretKeyBytes} bytes, not ${key.length}`);
  return createHash("sha256").update("threadmill key id\0").update(key).digest("hex").slice(0, 16);
}
