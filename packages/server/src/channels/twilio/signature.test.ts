import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkTwilioSignature, twilioSignature } from "./signature.ts";
import type { FormField } from "./signature.ts";

const authToken = "12345";
const url = "https://mycompany.com/myapp.php?foo=1&bar=2";

/** Twilio's documented sample call, whose signatures it publishes. */
const sample = (caller: string): FormField[] => [
  ["To", "+18005551212"],
  ["From", caller],
  ["Digits", "1234"],
  ["Caller", caller],
  ["CallSid", "CA1234567890ABCDE"],
];

/** The algorithm's last step, for strings put together by hand. */
const sign = (text: string) => createHmac("sha1", authToken).update(text).digest("base64");

describe("computing", () => {
  test.each([
    ["+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="],
    ["+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="],
  ])("Twilio's sample from %s", (caller, signature) => {
    expect(twilioSignature(authToken, url, sample(caller))).toBe(signature);
  });

  test("names sort by code unit, values of one name sort without repeats", () => {
    const fields: FormField[] = [
      ["b", "2"],
      ["a", "z"],
      ["B", "1"],
      ["a", "y"],
      ["a", "z"],
      ["_", ""],
    ];
    expect(twilioSignature(authToken, url, fields)).toBe(sign(`${url}B1_ayazb2`));
  });

  test("text outside ASCII is signed as UTF-8, blanks are kept", () => {
    expect(twilioSignature(authToken, url, [["Body", " Grüße 👋 "]])).toBe(sign(`${url}Body Grüße 👋 `));
  });
});

describe("checking a form", () => {
  const signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
  const request = { authToken, signature, url, body: { kind: "form" as const, fields: sample("+14158675309") } };

  test("the sample is believed", () => {
    expect(checkTwilioSignature(request)).toEqual({ ok: true });
  });

  test("a missing header, and any other URL, token, field or signature is not", () => {
    for (const missing of [undefined, ""]) {
      expect(checkTwilioSignature({ ...request, signature: missing })).toEqual({
        ok: false,
        code: "signature_missing",
      });
    }
    const mismatch = { ok: false, code: "signature_mismatch" };
    expect(checkTwilioSignature({ ...request, url: url.replace("https", "http") })).toEqual(mismatch);
    expect(checkTwilioSignature({ ...request, url: `${url}&c` })).toEqual(mismatch);
    expect(checkTwilioSignature({ ...request, authToken: "12346" })).toEqual(mismatch);
    expect(checkTwilioSignature({ ...request, signature: signature.toLowerCase() })).toEqual(mismatch);
    expect(checkTwilioSignature({ ...request, body: { kind: "form", fields: sample("+1") } })).toEqual(mismatch);
  });

  test("the port may be signed or not, on either side", () => {
    const withPort = url.replace(".com/", ".com:443/");
    const signedWithPort = twilioSignature(authToken, withPort, sample("+14158675309"));
    for (const called of [url, withPort, url.replace(".com/", ".com:8443/")]) {
      expect(checkTwilioSignature({ ...request, url: called })).toEqual({ ok: true });
      expect(checkTwilioSignature({ ...request, url: called, signature: signedWithPort })).toEqual({ ok: true });
    }
    const plain = { ...request, body: { kind: "form" as const, fields: [] } };
    expect(checkTwilioSignature({ ...plain, url: "http://a.test", signature: sign("http://a.test:80") })).toEqual({
      ok: true,
    });
  });

  test("path and query are taken as they are, not re-encoded", () => {
    const odd = "https://a.test/x%2fy/%7Ez?q=a+b&r=%C3%A9|";
    expect(
      checkTwilioSignature({ ...request, url: odd, signature: sign(odd), body: { kind: "form", fields: [] } }),
    ).toEqual({ ok: true });
  });

  test("something that is no web address is compared as it is", () => {
    expect(checkTwilioSignature({ ...request, url: "ftp://a" })).toEqual({ ok: false, code: "signature_mismatch" });
  });
});

describe("checking another body", () => {
  const bytes = Buffer.from('{"a": "é"}');
  const hash = createHash("sha256").update(bytes).digest("hex");
  const hashed = `https://a.test/hook?x=1&bodySHA256=${hash}`;
  const body = { kind: "raw" as const, bytes };

  test("is believed when the signed URL holds its hash", () => {
    expect(checkTwilioSignature({ authToken, url: hashed, signature: sign(hashed), body })).toEqual({ ok: true });
  });

  test("is not when it was changed", () => {
    const changed = { kind: "raw" as const, bytes: Buffer.from('{"a": "e"}') };
    const check = checkTwilioSignature({ authToken, url: hashed, signature: sign(hashed), body: changed });
    expect(check).toEqual({ ok: false, code: "body_hash_mismatch" });
  });

  test.each(["https://a.test/hook", "https://a.test/hook?x=1"])("is not when %s holds no hash", (bare) => {
    const check = checkTwilioSignature({ authToken, url: bare, signature: sign(bare), body });
    expect(check).toEqual({ ok: false, code: "body_hash_missing" });
  });

  test("is not when the hash was put in without a signature", () => {
    const check = checkTwilioSignature({ authToken, url: hashed, signature: sign("https://a.test/hook?x=1"), body });
    expect(check).toEqual({ ok: false, code: "signature_mismatch" });
  });
});
