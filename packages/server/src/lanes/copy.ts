import { type Connection, type PoolClient, Query } from "pg";
import { Words } from "./words.ts";

/** Messages as they go onto the wire: their codes in PostgreSQL's protocol. */
const queryCode = 0x51;
const dataCode = 0x64;
const doneCode = 0x63;

/**
 * COPY ... FROM STDIN whose rows and end are sent right behind the statement, without waiting for the server to ask for
 * them, so that it can stand in a pipeline like any other statement: a server that refuses the statement is not in copy
 * mode and ignores what still comes of it (PostgreSQL's protocol, "COPY Operations"). All of it is one write.
 */
class PipelinedCopy extends Query {
  #messages: Words | null;

  constructor(statement: string, messages: Words) {
    super({ text: statement });
    this.#messages = messages;
  }

  /** Called by the client when the statement's turn to be sent has come. */
  override submit = ({ stream }: Connection): void => {
    const messages = this.#messages as Words;
    // the query itself is held until its answer comes
    this.#messages = null;
    stream.write(messages.written, () => giveBack(messages.memory));
  };

  /** Everything is on its way already. */
  handleCopyInResponse(): void {}
}

/** Copies rows with a statement `copy ... from stdin`: `write` puts them into words. Rejects with the server's refusal. */
export function copyRows(client: PoolClient, statement: string, write: (words: Words) => void): Promise<void> {
  const messages = new Words(true, memory.pop() ?? Buffer.allocUnsafeSlow(smallest));
  messages.code(queryCode);
  message(messages, () => {
    messages.text(statement);
    messages.code(0);
  });
  messages.code(dataCode);
  message(messages, () => write(messages));
  messages.code(doneCode);
  message(messages, () => {});
  return new Promise((resolve, reject) => {
    const copy = new PipelinedCopy(statement, messages);
    (copy as unknown as { callback: (error: Error | null) => void }).callback = (error) =>
      error === null || error === undefined ? resolve() : reject(error);
    client.query(copy);
  });
}

/** The body of a message after its length, which counts itself. */
function message(words: Words, body: () => void): void {
  const start = words.length;
  words.plain("\0\0\0\0");
  body();
  words.int32(words.length - start, start);
}

/**
 * Memory that is free again: some hundred kilobytes for each table and batch would have the garbage collector come for them.
 * A few are enough, as a batch sends one table's rows after the other; and none that an unusual batch made large.
 */
const memory: Buffer[] = [];
const smallest = 64 * 1024;
const largest = 2 * 1024 * 1024;
const keptAtMost = 8;

function giveBack(bytes: Buffer): void {
  if (memory.length < keptAtMost && bytes.length <= largest) memory.push(bytes);
}
