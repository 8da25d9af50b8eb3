import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { writeTogether } from "./write-together.ts";

/** A stream that keeps what leaves it, piece by piece. */
function recorder(): { readonly stream: Writable; readonly pieces: string[] } {
  const pieces: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      pieces.push(String(chunk));
      done();
    },
    writev(chunks, done) {
      pieces.push(chunks.map(({ chunk }) => String(chunk)).join(""));
      done();
    },
  });
  return { stream, pieces };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what one turn writes leaves in one piece, in its order, and so does what its promises lead to", async () => {
  const { stream, pieces } = recorder();
  writeTogether(stream);
  stream.write("begin;");
  // as the driver does for the messages of one statement
  stream.cork();
  stream.write("parse;");
  stream.write("bind;");
  stream.uncork();
  await Promise.resolve();
  await Promise.resolve();
  stream.write("commit;");
  expect(pieces).toEqual([]);
  await nextTurn();
  expect(pieces).toEqual(["begin;parse;bind;commit;"]);
  stream.write("next;");
  await nextTurn();
  expect(pieces).toEqual(["begin;parse;bind;commit;", "next;"]);
});

test("an end right behind loses nothing", async () => {
  const { stream, pieces } = recorder();
  writeTogether(stream);
  stream.write("last words;");
  await new Promise<void>((resolve) => stream.end("terminate", resolve));
  expect(pieces.join("")).toBe("last words;terminate");
});
