/** A source text without what is not code. */
export type SourceText = {
  /** Same length and lines as the source; comments, string contents and regular expressions are blanked. */
  readonly code: string;
  /** What each string or plain template said, by the position of its opening quote. */
  readonly literals: ReadonlyMap<number, string>;
};

/** Words after which a slash begins a regular expression rather than a division. */
const wordsBeforeRegex = new Set(
  "return typeof case in of delete void throw new else do yield await instanceof".split(" "),
);

/**
 * Blanks everything in a TypeScript source that is not code, so that a search for `fetch(` or `from "` finds only the
 * real ones. A small scanner is enough here: TypeScript 7 has no JavaScript API that could parse for us, and a slash
 * that it takes for the wrong thing costs one line at most.
 */
export function readSource(source: string): SourceText {
  const out = [...blank(source)];
  const literals = new Map<number, string>();
  /** One entry per open template: how many braces are open inside its current `${ }`. */
  const templates: number[] = [];
  let at = 0;

  const keep = (index: number): void => {
    out[index] = source[index] ?? "";
  };

  /** Moves to the end of the template's text: its closing backtick, or the next `${`. */
  const skipTemplateText = (open: number): void => {
    while (at < source.length) {
      if (source[at] === "\\") at += 2;
      else if (source[at] === "`") {
        keep(at);
        if (open >= 0) literals.set(open, source.slice(open + 1, at));
        at += 1;
        return;
      } else if (source.startsWith("${", at)) {
        templates.push(0);
        at += 2;
        return;
      } else at += 1;
    }
  };

  while (at < source.length) {
    const char = source[at] ?? "";
    if (source.startsWith("//", at)) at = endOf(source, "\n", at);
    else if (source.startsWith("/*", at)) at = endOf(source, "*/", at + 2) + 2;
    else if (char === '"' || char === "'") {
      const end = endOfString(source, at, char);
      keep(at);
      if (source[end] === char) {
        keep(end);
        literals.set(at, source.slice(at + 1, end));
      }
      at = end + 1;
    } else if (char === "`") {
      keep(at);
      at += 1;
      skipTemplateText(at - 1);
    } else if (char === "/" && beginsRegex(out, at)) at = endOfRegex(source, at);
    else {
      const depth = templates.at(-1);
      if (char === "}" && depth === 0) {
        templates.pop();
        at += 1;
        skipTemplateText(-1);
        continue;
      }
      if (depth !== undefined && char === "{") templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && char === "}") templates[templates.length - 1] = depth - 1;
      keep(at);
      at += 1;
    }
  }
  return { code: out.join(""), literals };
}

/** The 1-based line of a position. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < position; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

/** One array element per UTF-16 unit, so that positions stay those of the source. */
function blank(source: string): string[] {
  return Array.from({ length: source.length }, (_, index) => (source[index] === "\n" ? "\n" : " "));
}

function endOf(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from);
  return found === -1 ? source.length : found;
}

/** The position of the closing quote, or of the line's end where there is none. */
function endOfString(source: string, open: number, quote: string): number {
  let at = open + 1;
  while (at < source.length && source[at] !== quote && source[at] !== "\n") at += source[at] === "\\" ? 2 : 1;
  return at;
}

function endOfRegex(source: string, open: number): number {
  let inClass = false;
  let at = open + 1;
  for (; at < source.length && source[at] !== "\n"; at += 1) {
    const char = source[at];
    if (char === "\\") at += 1;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
  }
  return at;
}

/** Judges a slash by the code before it: an operand means a division, anything else a regular expression. */
function beginsRegex(code: readonly string[], slash: number): boolean {
  let at = slash - 1;
  while (at >= 0 && /\s/.test(code[at] ?? "")) at -= 1;
  const before = code[at] ?? "";
  if (!/[\w$)\]}"'`]/.test(before)) return true;
  let word = "";
  for (; at >= 0 && /[\w$]/.test(code[at] ?? ""); at -= 1) word = (code[at] ?? "") + word;
  return wordsBeforeRegex.has(word);
}
