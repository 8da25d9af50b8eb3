const quote = 0x22;
const backslash = 0x5c;

/** From here on a text is put into bytes by the runtime at once: a loop is quicker for short ones alone. */
const longText = 200;

/** What COPY's text format must escape. */
const copySpecial = /[\\\n\r\t]/;
const copyEscapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const escaped = (text: string): string =>
  copySpecial.test(text) ? text.replaceAll(/[\\\n\r\t]/g, (each) => copyEscapes[each] as string) : text;

/**
 * Text as bytes, put together in place: what a batch writes is a few hundred short texts for each message, and putting them
 * together as texts first left twice as much garbage and took twice as long. Nearly all of them are letters and digits that
 * need no escapes, which is found out on the way.
 *
 * `copied`: for COPY's text format, in which the backslashes of JSON are doubled.
 */
export class Words {
  readonly #copied: boolean;
  #bytes: Buffer;
  #at = 0;

  constructor(copied: boolean, bytes: Buffer = Buffer.allocUnsafeSlow(1024)) {
    this.#copied = copied;
    this.#bytes = bytes;
  }

  /** How many bytes there are so far. */
  get length(): number {
    return this.#at;
  }

  /** What was written. The bytes stay this object's: nothing more may be written while they are used. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** The whole memory, for another to write into once these bytes are not needed any more. */
  get memory(): Buffer {
    return this.#bytes;
  }

  toString(): string {
    return this.#bytes.toString("utf8", 0, this.#at);
  }

  /** Throws away what was written from a place on. */
  cutTo(length: number): void {
    this.#at = length;
  }

  /** One character of ASCII. */
  code(code: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = code;
  }

  /** Four bytes, the highest first, at a place that was written already. */
  int32(value: number, at: number): void {
    this.#bytes.writeInt32BE(value, at);
  }

  /** ASCII in which nothing needs an escape: names, ids, instants, numbers. Throws RangeError for other characters. */
  plain(text: string): void {
    const { length } = text;
    this.#room(length);
    const bytes = this.#bytes;
    const at = this.#at;
    let seen = 0;
    for (let n = 0; n < length; n += 1) {
      const code = text.charCodeAt(n);
      seen |= code;
      bytes[at + n] = code;
    }
    if (seen > 0x7f) throw new RangeError("a text that was to be ASCII is not");
    this.#at = at + length;
  }

  /** Any text, as it is. */
  text(text: string): void {
    this.#room(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** Any text as a column of COPY. */
  column(text: string): void {
    if (!this.#short(text, 0, false)) this.text(escaped(text));
  }

  /** A text as JSON, from one of its characters on. */
  string(text: string, from = 0): void {
    this.code(quote);
    if (this.#short(text, from, true)) return this.code(quote);
    this.cutTo(this.#at - 1);
    this.#native(from === 0 ? text : text.slice(from));
  }

  /** Any text as an element of an array in a column of COPY. */
  element(text: string): void {
    this.code(quote);
    if (!this.#short(text, 0, true)) this.text(escaped(text.replaceAll(/["\\]/g, String.raw`\$&`)));
    this.code(quote);
  }

  /** A value as JSON, as JSON.stringify has it; "null" for what is no JSON. `without`: a member that an object is not to have. */
  json(value: unknown, without?: string): void {
    if (typeof value === "string") return this.string(value);
    if (typeof value !== "object" || value === null) return this.plain(JSON.stringify(value) ?? "null");
    if (Array.isArray(value)) {
      this.plain("[");
      for (let n = 0; n < value.length; n += 1) {
        if (n > 0) this.plain(",");
        this.json(value[n]);
      }
      return this.plain("]");
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return this.#native(value);
    let lead = "{";
    for (const name in value) {
      const member = (value as Readonly<Record<string, unknown>>)[name];
      if (member === undefined || name === without) continue;
      this.plain(lead);
      this.string(name);
      this.plain(":");
      this.json(member);
      lead = ",";
    }
    this.plain(lead === "{" ? "{}" : "}");
  }

  /** What is rare: other characters, escapes, dates and their like. */
  #native(value: unknown): void {
    const text = JSON.stringify(value) ?? "null";
    this.text(this.#copied ? escaped(text) : text);
  }

  /** Writes a short text that needs no escapes; false, with nothing written, where it is another. */
  #short(text: string, from: number, json: boolean): boolean {
    const length = text.length - from;
    if (length > longText) return false;
    this.#room(length);
    const bytes = this.#bytes;
    const at = this.#at - from;
    for (let n = from; n < text.length; n += 1) {
      const code = text.charCodeAt(n);
      if (code < 0x20 || code > 0x7e || code === backslash || (json && code === quote)) return false;
      bytes[at + n] = code;
    }
    this.#at += length;
    return true;
  }

  #room(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
