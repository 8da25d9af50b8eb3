import { expect, test } from "vitest";
import { normalizeCountry } from "./country.ts";

test.each([
  ["US", "US"],
  [" de ", "DE"],
  ["uk", "GB"],
  ["AQ", "AQ"],
  ["XX", null],
  ["USA", null],
  ["Germany", null],
  ["", null],
])("%j is %j", (text, country) => {
  expect(normalizeCountry(text)).toBe(country);
});
