import { Tokenizer, TypeGuards, defaultOptions, type TagToken, type Token, type TopLevelToken } from "liquidjs";
import { namesOf } from "../model/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { compileExpression } from "./liquid-expression.ts";
import { refuse, type Names } from "./liquid-operand.ts";
import { emit, spend, toText, type Write } from "./liquid-value.ts";
import { limits } from "./limits.ts";

/** A tag compiles itself and what it encloses; null where it prints nothing. */
export type Tag = (token: TagToken, cursor: Cursor) => Write | null;

/** Where the compiler of one text stands. */
export interface Cursor {
  readonly tokens: readonly TopLevelToken[];
  next: number;
  depth: number;
  /** product of the loop counts written in the enclosing blocks */
  rounds: number;
  /** how many slots a frame of this text needs */
  slots: number;
  readonly names: Names;
  readonly tags: Readonly<Record<string, Tag>>;
}

/** Compiles tokens up to one of the tags in `ends` (which it consumes and answers), or up to the end of the text if `ends` is empty. */
export function compileBlock(
  cursor: Cursor,
  ends: readonly string[],
  opener?: TagToken,
): { write: Write; end: TagToken | undefined } {
  cursor.depth += 1;
  if (cursor.depth > limits.depth) refuse(opener!, `more than ${limits.depth} blocks inside each other`);
  const writes: Write[] = [];
  let end: TagToken | undefined;
  for (;;) {
    const token = cursor.tokens[cursor.next++];
    if (token === undefined) {
      if (opener !== undefined) refuse(opener, `the tag "${opener.name}" is not closed`);
      break;
    }
    if (TypeGuards.isTagToken(token)) {
      if (ends.includes(token.name)) {
        end = token;
        break;
      }
      const tag = Object.hasOwn(cursor.tags, token.name)
        ? cursor.tags[token.name]!
        : refuse(token, `undefined tag "${token.name}"${didYouMean(token.name, namesOf(cursor.tags))}`);
      const write = tag(token, cursor);
      if (write !== null) writes.push(write);
    } else if (TypeGuards.isOutputToken(token)) {
      writes.push(compileOutput(token, token.contentRange, cursor));
    } else {
      const text = token.getContent();
      if (text !== "") writes.push((frame) => emit(frame, text));
    }
  }
  cursor.depth -= 1;
  return { write: sequence(writes), end };
}

function compileOutput(token: Token, range: [number, number], cursor: Cursor): Write {
  const tokenizer = new Tokenizer(token.input, defaultOptions.operators, undefined, range);
  const read = compileExpression(tokenizer, cursor.names, token);
  return (frame) => emit(frame, toText(read(frame), frame));
}

function sequence(writes: readonly Write[]): Write {
  const cost = 1 + writes.length;
  return (frame) => {
    spend(frame, cost);
    for (const write of writes) write(frame);
  };
}
