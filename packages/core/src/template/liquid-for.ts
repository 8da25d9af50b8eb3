import { TypeGuards, type TagToken, type Token } from "liquidjs";
import { membersOf } from "../model/json.ts";
import { compileBlock, type Cursor } from "./liquid-block.ts";
import { checkBrackets, compileNext, expectEnd } from "./liquid-expression.ts";
import { compileOperand, refuse } from "./liquid-operand.ts";
import { spend, toNumber, type Frame, type Read, type Write } from "./liquid-value.ts";
import { limits } from "./limits.ts";

type Modifiers = Partial<Record<"limit" | "offset", Read>> & { reversed?: true };

/** `for x in list reversed limit: n offset: n`, with `forloop` inside and `else` for an empty list. No break, no continue. */
export function compileFor(token: TagToken, cursor: Cursor): Write {
  const { tokenizer } = token;
  const name = tokenizer.readIdentifier().content;
  if (name === "" || tokenizer.readIdentifier().content !== "in") refuse(token, '"for" is written: for name in list');
  checkBrackets(tokenizer, token);
  const list = compileNext(tokenizer, cursor.names);
  const modifiers: Modifiers = {};
  let fixedLimit = Infinity;
  for (const hash of tokenizer.readHashes()) {
    const key = hash.name.content;
    if (key === "reversed" && hash.value === undefined) {
      modifiers.reversed = true;
    } else if ((key === "limit" || key === "offset") && hash.value !== undefined) {
      const operand = compileOperand(hash.value, cursor.names);
      modifiers[key] = operand.read;
      if (key === "limit" && operand.fixed !== undefined) fixedLimit = toNumber(operand.fixed.value);
    } else refuse(hash, `"for" knows no "${key}" here`);
  }
  expectEnd(tokenizer, token);

  const { names } = cursor;
  const outer = cursor.rounds;
  cursor.rounds = outer * Math.max(1, Math.min(writtenRounds(list.token), fixedLimit));
  if (cursor.rounds > limits.steps)
    refuse(token, `these loops make more than ${limits.steps} rounds`, "template_runaway");
  const item = cursor.slots++;
  const loop = cursor.slots++;
  names.loops.push({ name, slot: item }, { name: "forloop", slot: loop });
  const body = compileBlock(cursor, ["else", "endfor"], token);
  names.loops.splice(-2);
  cursor.rounds = outer;
  let otherwise: Write | undefined;
  if (body.end!.name === "else") {
    expectEnd(body.end!.tokenizer, body.end!);
    otherwise = compileBlock(cursor, ["endfor"], token).write;
  }

  return (frame) => {
    const items = select(list.read(frame), modifiers, frame);
    if (items.length === 0) return otherwise?.(frame);
    for (const [at, value] of items.entries()) {
      frame.slots[item] = value;
      frame.slots[loop] = {
        index: at + 1,
        index0: at,
        rindex: items.length - at,
        rindex0: items.length - at - 1,
        first: at === 0,
        last: at === items.length - 1,
        length: items.length,
      };
      spend(frame, 1);
      body.write(frame);
    }
  };
}

/** How often a loop runs where the text says it: a range between written numbers. Unknown counts as once. */
function writtenRounds(list: Token): number {
  if (!TypeGuards.isRangeToken(list)) return 1;
  if (!TypeGuards.isNumberToken(list.lhs) || !TypeGuards.isNumberToken(list.rhs)) return 1;
  return list.rhs.content - list.lhs.content + 1;
}

function pairs(value: object, frame: Frame): readonly unknown[] {
  const found = membersOf(value as { readonly [name: string]: unknown });
  spend(frame, found.length * 8);
  return found;
}

/** Offset, then limit, then the order. A text counts as one item, an object as its [name, value] pairs, by name. */
function select(value: unknown, modifiers: Modifiers, frame: Frame): readonly unknown[] {
  const all: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === "string" && value !== ""
      ? [value]
      : typeof value === "object" && value !== null
        ? pairs(value, frame)
        : [];
  const offset = modifiers.offset === undefined ? 0 : Math.max(0, Math.trunc(toNumber(modifiers.offset(frame))));
  const limit = modifiers.limit === undefined ? all.length : Math.max(0, Math.trunc(toNumber(modifiers.limit(frame))));
  const some = all.slice(offset, offset + limit);
  return modifiers.reversed ? some.toReversed() : some;
}
