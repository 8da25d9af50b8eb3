import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openSecretBox } from "./secret-box.ts";
import { decodeSecretKey, encodeSecretKey } from "./secret-key.ts";

const key = new Uint8Array(32).fill(7);
const other = new Uint8Array(32).fill(8);
const context = ["org-1", "twilio.auth_token"];

/** Every well-formed text, the empty one included. */
const texts = fc.string({ unit: "binary" }).filter((text) => text.isWellFormed());

test("what is sealed opens in the same context", () => {
  const box = openSecretBox(key);
  fc.assert(
    fc.property(texts, fc.array(fc.string()), (text, where) => {
      expect(box.open(box.seal(text, where), where)).toEqual({ ok: true, text });
    }),
  );
});

test("sealing twice gives different texts that name version and key", () => {
  const box = openSecretBox(key);
  const [first, second] = [box.seal("a", context), box.seal("a", context)];
  expect(first).not.toBe(second);
  expect(first.startsWith(`v2:${box.keyId}:`)).toBe(true);
});

test("another context, also one that joins to the same text, does not open it", () => {
  const box = openSecretBox(key);
  const sealed = box.seal("a", ["ab", "c"]);
  for (const wrong of [["a", "bc"], ["abc"], ["ab"], ["ab", "c", ""], []]) {
    expect(box.open(sealed, wrong)).toEqual({ ok: false, code: "tampered" });
  }
});

test("a changed character anywhere never opens", () => {
  const box = openSecretBox(key);
  const sealed = box.seal("hello", context);
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.constantFrom(..."Aaz012_-:v"), (at, character) => {
      const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
      const opened = box.open(changed, context);
      // The last base64url character carries unused bits, so a change there may leave the bytes as they were.
      expect(opened.ok).toBe(sameBytes(changed, sealed));
    }),
  );
});

test("each use has a key of its own: what one sealed opens in no other, not even in the same context", () => {
  const box = openSecretBox(key);
  const uses = ["secrets", "answers", "cursors", "callbacks"] as const;
  for (const from of uses) {
    const sealed = box.of(from).seal("a", context);
    expect(uses.filter((each) => openSecretBox(key).of(each).open(sealed, context).ok)).toEqual([from]);
    // nor does the key itself, under the version that it sealed
    expect(box.of(from).open(sealed.replace(/^v2/, "v1"), context)).toEqual({ ok: false, code: "tampered" });
  }
});

test("what was sealed with the key itself, before there were uses, opens still", () => {
  const old = "v1:1139b200f7cfd285:LjoLTl0-Shh6HX_K:7W5CdApKWmhXGhzOMh-0WX4Nrm96gG4em14";
  const box = openSecretBox(key);
  for (const each of [box, box.of("answers")])
    expect(each.open(old, context)).toEqual({ ok: true, text: "kept since" });
  expect(box.open(old, ["org-2", "twilio.auth_token"])).toEqual({ ok: false, code: "tampered" });
});

function sameBytes(left: string, right: string): boolean {
  const parts = (text: string) => {
    const [version, id, nonce = "", body = ""] = text.split(":");
    const bytes = (part: string) => Buffer.from(part, "base64url").toString("hex");
    return JSON.stringify([text.split(":").length, version, id, bytes(nonce), bytes(body)]);
  };
  return parts(left) === parts(right);
}

describe("keys", () => {
  test("an earlier key still opens, an unknown one says so", () => {
    const sealed = openSecretBox(other).seal("a", context);
    expect(openSecretBox(key, [other]).open(sealed, context)).toEqual({ ok: true, text: "a" });
    expect(openSecretBox(key).open(sealed, context)).toEqual({ ok: false, code: "unknown_key" });
  });

  test("text that is no envelope is malformed", () => {
    for (const text of [
      "",
      "a",
      "v2:0:0:0",
      "v3:0011223344556677:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA",
      "v1:0011223344556677:AAAAAAAAAAAAAAAA:AAAA",
    ]) {
      expect(openSecretBox(key).open(text, context)).toEqual({ ok: false, code: "malformed" });
    }
  });

  test("a key of another length and a text that would be changed are bugs", () => {
    expect(() => openSecretBox(new Uint8Array(16))).toThrow("32 bytes");
    expect(() => openSecretBox(key).seal("\ud800", context)).toThrow("lone surrogate");
  });

  test("a key reads back from hex, base64 and base64url, and from nothing else", () => {
    const sharp = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);
    const base64 = encodeSecretKey(sharp);
    const base64url = Buffer.from(sharp).toString("base64url");
    const hex = Buffer.from(sharp).toString("hex");
    for (const text of [base64, ` ${base64}\n`, base64url, hex, hex.toUpperCase()]) {
      expect(Buffer.from(decodeSecretKey(text) ?? []).equals(sharp)).toBe(true);
    }
    for (const text of ["", "secret", hex.slice(2), base64.slice(4), "é".repeat(43)]) {
      expect(decodeSecretKey(text)).toBeUndefined();
    }
  });
});
