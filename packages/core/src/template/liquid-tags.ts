import { TypeGuards, type TagToken } from "liquidjs";
import { compileBlock, type Cursor, type Tag } from "./liquid-block.ts";
import { checkBrackets, compileExpression, compileNext, expectEnd } from "./liquid-expression.ts";
import { compileFor } from "./liquid-for.ts";
import { refuse } from "./liquid-operand.ts";
import { emit, same, truthy, type Read, type Write } from "./liquid-value.ts";

/** All tags a text may use. */
export const tags: Readonly<Record<string, Tag>> = {
  if: (token, cursor) => compileIf(token, cursor, "endif", false),
  unless: (token, cursor) => compileIf(token, cursor, "endunless", true),
  case: compileCase,
  for: compileFor,
  assign: compileAssign,
  capture: compileCapture,
  comment: compileComment,
  raw: compileRaw,
};

function compileIf(token: TagToken, cursor: Cursor, close: string, negate: boolean): Write {
  const branches: { when: Read; write: Write }[] = [];
  let tag: TagToken | undefined = token;
  let otherwise: Write | undefined;
  while (tag !== undefined && tag.name !== close) {
    if (tag.name === "else") {
      expectEnd(tag.tokenizer, tag);
      const block = compileBlock(cursor, [close], token);
      otherwise = block.write;
      tag = block.end;
      continue;
    }
    const read = compileExpression(tag.tokenizer, cursor.names, tag);
    const when: Read = negate && branches.length === 0 ? (frame) => !truthy(read(frame)) : read;
    const block = compileBlock(cursor, ["elsif", "else", close], token);
    branches.push({ when, write: block.write });
    tag = block.end;
  }
  return (frame) => {
    for (const branch of branches) if (truthy(branch.when(frame))) return branch.write(frame);
    otherwise?.(frame);
  };
}

/** Every `when` that holds is printed; `else` if none does. */
function compileCase(token: TagToken, cursor: Cursor): Write {
  const subject = compileExpression(token.tokenizer, cursor.names, token);
  const branches: { values: readonly Read[]; write: Write }[] = [];
  let otherwise: Write | undefined;
  // What stands before the first `when` is never printed.
  let tag = compileBlock(cursor, ["when", "else", "endcase"], token).end!;
  while (tag.name !== "endcase") {
    if (tag.name === "else") expectEnd(tag.tokenizer, tag);
    const values = tag.name === "else" ? null : compileWhen(tag, cursor);
    const block = compileBlock(cursor, values === null ? ["endcase"] : ["when", "else", "endcase"], token);
    if (values === null) otherwise = block.write;
    else branches.push({ values, write: block.write });
    tag = block.end!;
  }
  return (frame) => {
    const value = subject(frame);
    let found = false;
    for (const branch of branches) {
      if (!branch.values.some((read) => same(read(frame), value, frame))) continue;
      found = true;
      branch.write(frame);
    }
    if (!found) otherwise?.(frame);
  };
}

function compileWhen(tag: TagToken, cursor: Cursor): Read[] {
  const { tokenizer } = tag;
  checkBrackets(tokenizer, tag);
  const values = [compileNext(tokenizer, cursor.names).read];
  for (tokenizer.skipBlank(); !tokenizer.end(); tokenizer.skipBlank()) {
    if (tokenizer.peek() === ",") tokenizer.advance();
    else if (tokenizer.readIdentifier().content !== "or") refuse(tag, 'values of "when" are parted by "," or "or"');
    values.push(compileNext(tokenizer, cursor.names).read);
  }
  return values;
}

/** `name =` of an assign, or the name of a capture, which may be quoted. */
const target = /^(?:(?<plain>[\p{L}_][\p{L}\p{N}_-]*)|"(?<double>[^"]+)"|'(?<single>[^']+)')\s*(?:=|$)/u;

/** The name that `assign` or `capture` sets, read without moving the tag's own tokenizer. */
export function assignedName(token: TagToken): string | null {
  if (token.name !== "assign" && token.name !== "capture") return null;
  const found = target.exec(token.args)?.groups;
  return found?.plain ?? found?.double ?? found?.single ?? null;
}

function slotOf(token: TagToken, cursor: Cursor): number {
  const name = assignedName(token);
  return name === null
    ? refuse(token, `"${token.name}" needs the name of a variable`)
    : cursor.names.assigned.get(name)!;
}

function compileAssign(token: TagToken, cursor: Cursor): Write {
  const slot = slotOf(token, cursor);
  const { tokenizer } = token;
  tokenizer.readTo("=");
  const read = compileExpression(tokenizer, cursor.names, token);
  return (frame) => {
    frame.slots[slot] = read(frame) ?? null;
  };
}

function compileCapture(token: TagToken, cursor: Cursor): Write {
  const slot = slotOf(token, cursor);
  const { write } = compileBlock(cursor, ["endcapture"], token);
  return (frame) => {
    const before = frame.out;
    frame.out = "";
    write(frame);
    frame.slots[slot] = frame.out;
    frame.out = before;
  };
}

function compileComment(token: TagToken, cursor: Cursor): null {
  for (;;) {
    const inner = cursor.tokens[cursor.next++];
    if (inner === undefined) return refuse(token, 'the tag "comment" is not closed');
    if (TypeGuards.isTagToken(inner) && inner.name === "endcomment") return null;
  }
}

/** The tokenizer sees to it that only plain text and the closing tag follow. */
function compileRaw(token: TagToken, cursor: Cursor): Write | null {
  const inner = cursor.tokens[cursor.next++] ?? refuse(token, 'the tag "raw" is not closed');
  if (!TypeGuards.isHTMLToken(inner)) return null;
  cursor.next += 1;
  const text = inner.getContent();
  return (frame) => emit(frame, text);
}
