import { isSupportedCountry } from "libphonenumber-js/min";

/** Countries and territories of ISO 3166 where nobody has a telephone number of their own. */
const withoutPhones: ReadonlySet<string> = new Set(["AQ", "BV", "GS", "HM", "PN", "TF", "UM"]);

/** A country's two letters of ISO 3166 in capitals; null for what names no country. The kingdom's own "UK" is "GB" there. */
export function normalizeCountry(text: string): string | null {
  const code = text.trim().toUpperCase();
  if (code === "UK") return "GB";
  return isSupportedCountry(code) || withoutPhones.has(code) ? code : null;
}
