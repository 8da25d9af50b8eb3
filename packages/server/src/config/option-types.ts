import { isIP } from "node:net";
import { everyAddress } from "../outside/ranges.ts";
import { decodeSecretKey } from "../secrets/secret-key.ts";

/** What reading a text gives. A problem completes "must be ..." and never repeats the text, which may be a secret. */
export type Read<T> = { ok: true; value: T } | { ok: false; problem: string };

/** How the text of an option becomes its value. */
export interface OptionType<T> {
  /** Shown in the help after the flag. */
  readonly label: string;
  /** Reads the text as it came from the environment or the command line, blanks at its ends removed. */
  read(text: string): Read<T>;
}

const good = <T>(value: T): Read<T> => ({ ok: true, value });
const bad = (problem: string): Read<never> => ({ ok: false, problem });

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number): OptionType<number> {
  return {
    label: "number",
    read(text) {
      const value = Number(text);
      const fits = /^\d{1,15}$/.test(text) && value >= least && value <= most;
      return fits ? good(value) : bad(`must be a whole number from ${least} to ${most}`);
    },
  };
}

/** Any text without control characters. */
export function text(label: string): OptionType<string> {
  return {
    label,
    read: (value) => (/\p{Cc}/u.test(value) ? bad("must not contain control characters") : good(value)),
  };
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): OptionType<T> {
  return {
    label: words.join("|"),
    read(value) {
      const word = words.find((each) => each === value);
      return word === undefined ? bad(`must be one of ${words.join(", ")}`) : good(word);
    },
  };
}

/** An http or https address without query, given back without a slash at its end. */
export const webAddress: OptionType<string> = {
  label: "url",
  read(value) {
    const problem = "must be an http or https address without user, query and fragment";
    if (!URL.canParse(value)) return bad(problem);
    const url = new URL(value);
    const plain = !url.username && !url.password && !/[?#]/.test(value);
    if (!plain || !["http:", "https:"].includes(url.protocol)) return bad(problem);
    return good(url.href.replace(/\/+$/, ""));
  },
};

/** A PostgreSQL connection string. What follows the scheme is left to the driver. */
export const postgresAddress: OptionType<string> = {
  label: "url",
  read: (value) =>
    /^postgres(ql)?:\/\/\S+$/.test(value) ? good(value) : bad("must begin with postgres:// or postgresql://"),
};

/** An address of a mail server: the scheme says whether the connection is secure from its first byte. */
export const smtpAddress: OptionType<string> = {
  label: "url",
  read: (value) =>
    /^smtps?:\/\/\S+$/.test(value) && URL.canParse(value)
      ? good(value)
      : bad("must begin with smtp:// or smtps://, such as smtp://user:password@mail.example.com:587"),
};

/** A token of at least 24 visible ASCII characters: shorter ones can be guessed. */
export const tokenText: OptionType<string> = {
  label: "token",
  read: (value) =>
    /^[\x21-\x7e]{24,200}$/.test(value)
      ? good(value)
      : bad("must be 24 to 200 visible ASCII characters, such as tm_ and 32 random bytes"),
};

/** 32 bytes in base64 or hex, kept as given; `decodeSecretKey` gives the bytes. */
export const secretKeyText: OptionType<string> = {
  label: "key",
  read: (value) =>
    decodeSecretKey(value) ? good(value) : bad("must be 32 bytes in base64 or hex (openssl rand -base64 32)"),
};

/** A comma-separated list of IP addresses and CIDR ranges. */
export const addressRanges: OptionType<readonly string[]> = {
  label: "cidr,...",
  read(value) {
    const ranges = value.split(",").map((each) => each.trim());
    return ranges.every(isRange)
      ? good(Object.freeze(ranges))
      : bad("must be IP addresses or ranges such as 10.0.0.0/8, separated by commas");
  },
};

/**
 * Which addresses that are not public may be connected to: `no` (none), `yes` (every one), or a list of addresses and CIDR
 * ranges. The value is the list of ranges.
 */
export const allowedAddresses: OptionType<readonly string[]> = {
  label: "no|yes|cidr",
  read(value) {
    if (/^(?:no|false|0|off)$/i.test(value)) return good(Object.freeze([]));
    if (/^(?:yes|true|1|on)$/i.test(value)) return good(everyAddress);
    const ranges = addressRanges.read(value);
    return ranges.ok ? ranges : bad("must be yes, no, or addresses and ranges such as 10.0.0.0/8, separated by commas");
  },
};

function isRange(range: string): boolean {
  const [address = "", bits, ...more] = range.split("/");
  const version = isIP(address);
  if (version === 0 || address.includes("%") || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
