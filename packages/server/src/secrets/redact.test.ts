import fc from "fast-check";
import { expect, test } from "vitest";
import { mask } from "../observe/scrub.ts";
import { redactor } from "./redact.ts";

/** How a system may repeat what it was sent. */
const echoes: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  percent: (secret) => encodeURIComponent(secret),
  form: (secret) => new URLSearchParams({ secret }).toString(),
  json: (secret) => JSON.stringify({ secret }),
  hex: (secret) => Buffer.from(secret).toString("hex"),
  HEX: (secret) => Buffer.from(secret).toString("hex").toUpperCase(),
  base64: (secret) => Buffer.from(secret).toString("base64"),
  base64url: (secret) => Buffer.from(secret).toString("base64url"),
  basic: (secret) => `Basic ${Buffer.from(`AC123:${secret}`).toString("base64")}`,
};

test.each(Object.entries(echoes))("a secret that comes back as %s is masked", (_name, echo) => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 6, maxLength: 60, unit: "grapheme" }),
      fc.string({ maxLength: 4 }),
      fc.string({ maxLength: 4 }),
      (secret, before, after) => {
        const told = echo(before + secret + after);
        const kept = redactor([secret])(told);
        expect(kept).toContain(mask);
        for (const spelling of [secret, encodeURIComponent(secret)]) expect(kept).not.toContain(spelling);
        // nothing but a few digits at the ends, which are shared with the neighbours, is left to decode
        const decoded = kept.split(mask).flatMap((part) => [Buffer.from(part, "base64"), Buffer.from(part, "hex")]);
        for (const bytes of decoded) expect(bytes.includes(secret)).toBe(false);
      },
    ),
    { numRuns: 300 },
  );
});

test("texts without secrets stay as they are", () => {
  expect(redactor(["hunter2hunter2", ""])("Invalid 'To' number: +1415")).toBe("Invalid 'To' number: +1415");
  expect(redactor([])("anything")).toBe("anything");
});

test("a secret that holds another leaves nothing of itself", () => {
  expect(redactor(["abc", "abcdef"])("x abcdef abc")).toBe(`x ${mask} ${mask}`);
});
