import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { secretKeyBytes } from "./secret-key.ts";

/** What opening a sealed text answers. `unknown_key`: sealed with a key that this box does not hold. */
export type Opened = { ok: true; text: string } | { ok: false; code: "malformed" | "unknown_key" | "tampered" };

/** What is sealed, each with a key of its own: what is kept, and what strangers are given to bring back. */
export type SecretUse = "secrets" | "answers" | "cursors" | "callbacks" | "downloads";

/** Seals texts for storage. */
export interface SecretBox {
  /** Names the key that `seal` uses, without giving it away: 16 hex digits. */
  readonly keyId: string;
  /** Encrypts `text`. `context` says where the result belongs (organization id, field ...); it opens only there. */
  seal(text: string, context: readonly string[]): string;
  /** Decrypts what `seal` gave for the same context, and what was sealed before each use had a key of its own. */
  open(sealed: string, context: readonly string[]): Opened;
  /** A secret of its own for something that seals by itself, the same in every process: 64 hex digits. */
  derive(purpose: string): string;
  /** The box of another use. However much of one use is seen, it says nothing of the key of another. */
  of(use: SecretUse): SecretBox;
}

const cipher = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;
const envelope = /^v([12]):([0-9a-f]{16}):([A-Za-z0-9_-]{16}):([A-Za-z0-9_-]{22,})$/;

/** A key as it was given, and those that follow from it. */
interface Keys {
  readonly own: Uint8Array;
  readonly ofUse: Readonly<Record<SecretUse, Uint8Array>>;
}

/**
 * A box that seals with `key` and also opens what `earlier` keys sealed, so that keys can be changed. The envelope is
 * `v2:<key id>:<nonce>:<ciphertext and tag>`, base64url. The key itself seals nothing: each use has one that follows from
 * it (HKDF); a `v1` was sealed with the key itself. The box is that of secrets. Throws when a key is not 32 bytes long.
 */
export function openSecretBox(key: Uint8Array, earlier: readonly Uint8Array[] = []): SecretBox {
  const keyId = keyIdOf(key);
  const keys = new Map([key, ...earlier].toReversed().map((each) => [keyIdOf(each), keysOf(each)] as const));
  const boxes = new Map<SecretUse, SecretBox>();
  const of = (use: SecretUse): SecretBox => {
    let box = boxes.get(use);
    if (box === undefined) boxes.set(use, (box = boxOf(use, keyId, keys, of)));
    return box;
  };
  return of("secrets");
}

function boxOf(
  use: SecretUse,
  keyId: string,
  keys: ReadonlyMap<string, Keys>,
  of: (use: SecretUse) => SecretBox,
): SecretBox {
  const sealingKey = (keys.get(keyId) as Keys).ofUse[use];
  return {
    keyId,
    of,
    derive: (purpose) => Buffer.from(derived((keys.get(keyId) as Keys).own, `derived ${purpose}`)).toString("hex"),
    seal(text, context) {
      if (!text.isWellFormed())
        throw new TypeError("A text with a lone surrogate cannot be sealed without changing it");
      const nonce = randomBytes(nonceBytes);
      const sealing = createCipheriv(cipher, sealingKey, nonce, { authTagLength: tagBytes });
      sealing.setAAD(boundData("2", keyId, context));
      const body = Buffer.concat([sealing.update(text, "utf8"), sealing.final(), sealing.getAuthTag()]);
      return `v2:${keyId}:${nonce.toString("base64url")}:${body.toString("base64url")}`;
    },
    open(sealed, context) {
      const parts = envelope.exec(sealed);
      if (!parts) return { ok: false, code: "malformed" };
      const [, version = "", id = "", nonce = "", text = ""] = parts;
      const known = keys.get(id);
      if (!known) return { ok: false, code: "unknown_key" };
      const openingKey = version === "1" ? known.own : known.ofUse[use];
      const body = Buffer.from(text, "base64url");
      const opening = createDecipheriv(cipher, openingKey, Buffer.from(nonce, "base64url"), {
        authTagLength: tagBytes,
      });
      opening.setAAD(boundData(version, id, context));
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

function keysOf(own: Uint8Array): Keys {
  const derive = (use: SecretUse): Uint8Array => derived(own, use);
  return {
    own,
    ofUse: {
      secrets: derive("secrets"),
      answers: derive("answers"),
      cursors: derive("cursors"),
      callbacks: derive("callbacks"),
      downloads: derive("downloads"),
    },
  };
}

const derived = (own: Uint8Array, use: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", own, new Uint8Array(), `threadmill v2 ${use}`, secretKeyBytes));

/** JSON keeps the parts apart: ["ab", "c"] and ["a", "bc"] must not be the same context. */
function boundData(version: string, keyId: string, context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([`threadmill v${version}`, keyId, ...context]), "utf8");
}

function keyIdOf(key: Uint8Array): string {
  if (key.length !== secretKeyBytes)
    throw new RangeError(`A secret key has ${secretKeyBytes} bytes, not ${key.length}`);
  return createHash("sha256").update("threadmill key id\0").update(key).digest("hex").slice(0, 16);
}
