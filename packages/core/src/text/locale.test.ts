import { expect, test } from "vitest";
import { normalizeLocale } from "./locale.ts";

test.each([
  ["en", "en"],
  ["EN", "en"],
  [" pt-br ", "pt-BR"],
  ["en_us", "en-US"],
  ["zh-hant-tw", "zh-Hant-TW"],
  ["es-419", "es-419"],
  ["sr-LATN", "sr-Latn"],
  ["de-CH-1996", "de-CH-1996"],
  ["sl-ROZAJ-biske", "sl-rozaj-biske"],
  ["en-u-hc-H12", "en-u-hc-h12"],
  ["en-x-Twain", "en-x-twain"],
  ["haw", "haw"],
])("%j is %s", (text, locale) => {
  expect(normalizeLocale(text)).toBe(locale);
  expect(normalizeLocale(locale)).toBe(locale);
});

test.each(["", "e", "en-", "en--US", "en-US-", "en US", "en_US.UTF-8", "1", "x-pirate", "en-u"])("%j is none", (text) =>
  expect(normalizeLocale(text)).toBeNull(),
);
