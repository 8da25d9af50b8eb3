/** How an SMS travels: what a carrier counts and charges. */
export interface SmsSegments {
  readonly encoding: "gsm7" | "ucs2";
  /** how many messages the text is cut into; 0 for an empty text */
  readonly segments: number;
  /** what counts against a segment: septets in gsm7 (some characters take two), UTF-16 code units in ucs2 */
  readonly characters: number;
}

/** The alphabet of GSM 03.38, and the characters that it writes as two, after an escape. */
const basic =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const extended = "\f^{}\\[~]|€";

/** ChannelAddresses in a single message, and in each part of a longer one, whose header takes the rest. */
const room = { gsm7: { single: 160, part: 153 }, ucs2: { single: 70, part: 67 } } as const;

/**
 * How many SMS segments a text takes. What would be cut in two (an escaped character, a surrogate pair) moves whole to
 * the next segment, so that a segment may end one place early.
 */
export function smsSegments(text: string): SmsSegments {
  const septets = gsmWidths(text);
  const encoding = septets === null ? "ucs2" : "gsm7";
  const widths = septets ?? Array.from(text, (character) => character.length);
  const characters = widths.reduce((sum, width) => sum + width, 0);
  const { single, part } = room[encoding];
  if (characters <= single) return { encoding, segments: characters === 0 ? 0 : 1, characters };
  let segments = 1;
  let used = 0;
  for (const width of widths) {
    if (used + width > part) {
      segments += 1;
      used = 0;
    }
    used += width;
  }
  return { encoding, segments, characters };
}

/** Septets of each character, or null when the alphabet lacks one. */
function gsmWidths(text: string): number[] | null {
  const widths: number[] = [];
  for (const character of text) {
    if (basic.includes(character)) widths.push(1);
    else if (extended.includes(character)) widths.push(2);
    else return null;
  }
  return widths;
}
