import { type Connection, type PoolClient, Query } from "pg";

/** The messages of a COPY as they go onto the wire: their codes in PostgreSQL's protocol. */
const dataCode = 0x64;

/**
 * COPY ... FROM STDIN whose rows and end are sent right behind the statement, without waiting for the server to ask for
 * them, so that it can stand in a pipeline like any other statement: a server that refuses the statement is not in copy
 * mode and ignores what still comes of it (PostgreSQL's protocol, "COPY Operations").
 */
class PipelinedCopy extends Query {
  readonly #statement: string;
  readonly #rows: string;

  constructor(statement: string, rows: string) {
    super({ text: statement });
    this.#statement = statement;
    this.#rows = rows;
  }

  /** Called by the client when the statement's turn to be sent has come. */
  override submit = (connection: Connection): void => {
    connection.query(this.#statement);
    connection.stream.write(copyData(this.#rows));
    (connection as unknown as { endCopyFrom(): void }).endCopyFrom();
  };

  /** Everything is on its way already. */
  handleCopyInResponse(): void {}
}

/** Copies rows, as `row-text.ts` puts them into words, with a statement `copy ... from stdin`. Rejects with the server's refusal. */
export function copyRows(client: PoolClient, statement: string, rows: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const copy = new PipelinedCopy(statement, rows);
    (copy as unknown as { callback: (error: Error | null) => void }).callback = (error) =>
      error === null || error === undefined ? resolve() : reject(error);
    client.query(copy);
  });
}

/** One CopyData message: its code, its length, the rows. */
function copyData(rows: string): Buffer {
  const length = Buffer.byteLength(rows);
  const message = Buffer.allocUnsafe(length + 5);
  message[0] = dataCode;
  message.writeInt32BE(length + 4, 1);
  message.write(rows, 5);
  return message;
}
