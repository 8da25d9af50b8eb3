import { expect, test } from "vitest";
import { smsSegments } from "./segments.ts";

test.each([
  ["", "gsm7", 0, 0],
  ["Hello, wörld! ñ Δ @", "gsm7", 1, 19],
  ["a".repeat(160), "gsm7", 1, 160],
  ["a".repeat(161), "gsm7", 2, 161],
  ["a".repeat(306), "gsm7", 2, 306],
  ["a".repeat(307), "gsm7", 3, 307],
  ["€".repeat(80), "gsm7", 1, 160],
  [`${"a".repeat(152)}€${"a".repeat(8)}`, "gsm7", 2, 162],
  [`${"a".repeat(152)}€${"a".repeat(151)}`, "gsm7", 2, 305],
  [`${"a".repeat(152)}€${"a".repeat(152)}`, "gsm7", 3, 306],
  ["[]{}|~^\\\f", "gsm7", 1, 18],
  ["ç", "ucs2", 1, 1],
  ["`", "ucs2", 1, 1],
  ["я".repeat(70), "ucs2", 1, 70],
  ["я".repeat(71), "ucs2", 2, 71],
  ["я".repeat(134), "ucs2", 2, 134],
  ["я".repeat(135), "ucs2", 3, 135],
  ["😀".repeat(35), "ucs2", 1, 70],
  ["😀".repeat(66), "ucs2", 2, 132],
  ["😀".repeat(67), "ucs2", 3, 134],
])("%j", (text, encoding, segments, characters) => {
  expect(smsSegments(text)).toEqual({ encoding, segments, characters });
});

test("the alphabet has its 127 characters and ten escaped ones", () => {
  let one = 0;
  let two = 0;
  for (let code = 0; code < 0x10000; code++) {
    const { encoding, characters } = smsSegments(String.fromCharCode(code));
    if (encoding === "gsm7" && characters === 1) one += 1;
    if (encoding === "gsm7" && characters === 2) two += 1;
  }
  expect([one, two]).toEqual([127, 10]);
});
