import { analyse } from "chardet";

/** The encoding of UTF-8 in TextDecoder's words. */
const utf8 = "utf-8";

/** Whether TextDecoder knows an encoding by this name. */
export function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "";
  } catch {
    return false;
  }
}

/**
 * Finds out in which encoding a text is, from how it begins: by its mark, by being UTF-8, which hardly anything else is by
 * chance, or else by its letters. Answers a name that TextDecoder knows.
 */
export function findEncoding(sample: Uint8Array): string {
  if (sample[0] === 0xff && sample[1] === 0xfe) return "utf-16le";
  if (sample[0] === 0xfe && sample[1] === 0xff) return "utf-16be";
  const wide = widthOf(sample);
  if (wide !== null) return wide;
  if (isUtf8(sample)) return utf8;
  for (const { name } of analyse(sample)) {
    // of these letters alone it cannot be told; the one of Windows has the same and more
    const label = name.toLowerCase() === "iso-8859-1" ? "windows-1252" : name.toLowerCase();
    if (label !== utf8 && label !== "ascii" && isEncoding(label)) return label;
  }
  return "windows-1252";
}

/** Texts of the West in UTF-16 without a mark have every other byte zero. */
function widthOf(sample: Uint8Array): string | null {
  const pairs = Math.min(sample.length >> 1, 2000);
  if (pairs < 4) return null;
  let [even, odd] = [0, 0];
  for (let n = 0; n < pairs; n += 1) {
    if (sample[2 * n] === 0) even += 1;
    if (sample[2 * n + 1] === 0) odd += 1;
  }
  if (odd > pairs * 0.4 && even < pairs * 0.1) return "utf-16le";
  return even > pairs * 0.4 && odd < pairs * 0.1 ? "utf-16be" : null;
}

function isUtf8(sample: Uint8Array): boolean {
  try {
    // the last character of a sample may be cut
    new TextDecoder(utf8, { fatal: true }).decode(sample, { stream: true });
    return true;
  } catch {
    return false;
  }
}
