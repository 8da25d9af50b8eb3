import type { ClientBase, Pool, PoolClient, QueryResult } from "pg";
import { DatabaseFault } from "./fault.ts";
import { isCertainRefusal } from "./fault-table.ts";

/** How to open a transaction. */
export interface TransactionOptions<A = undefined> {
  /** The opening statement; default `begin`, that is READ COMMITTED. */
  readonly begin?: string;
  /** Looks at what the opening statements answered; a throw rolls back and is thrown on. */
  readonly check?: (answers: readonly QueryResult[]) => void;
  /**
   * Reads that are sent right behind the opening statement, on a connection in pipeline mode: the server takes them up when it is done
   * with that one. What it gives goes to `fn`, which alone hears of their failure.
   */
  readonly ahead?: (client: PoolClient) => A;
}

/**
 * Runs `fn` in one transaction on a connection of its own and commits. Whatever `fn` throws rolls back and is thrown on.
 * Throws `transaction_rolled_back` where the server answered COMMIT with ROLLBACK (a failed statement was caught and
 * forgotten on the way), and `commit_in_doubt` where the connection broke during COMMIT: then look for a receipt first.
 */
export async function transaction<T>(
  pool: Pool,
  fn: (client: PoolClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  return pipelined(pool, async (client) => ({ result: await fn(client), sent: [] }), options);
}

/** What a transaction leaves to be awaited together with its COMMIT. */
export interface Trailing<T> {
  readonly result: T;
  /** statements that are on their way; COMMIT is sent right behind them, on a connection in pipeline mode */
  readonly sent: readonly Promise<unknown>[];
}

/**
 * As `transaction`, but the last statements and COMMIT share one round trip. When one of them fails the server answers
 * COMMIT with ROLLBACK, and the statement's own error is thrown.
 */
export async function pipelined<T, A = undefined>(
  pool: Pool,
  fn: (client: PoolClient, ahead: A | undefined) => Promise<Trailing<T>>,
  options: TransactionOptions<A> = {},
): Promise<T> {
  const client = await pool.connect();
  let trailing: Trailing<T>;
  try {
    const opened: Promise<QueryResult | QueryResult[]> = client.query(options.begin ?? "begin");
    const ahead = options.ahead?.(client);
    // several statements in one have an answer each
    const answer = await opened;
    options.check?.([answer].flat());
    trailing = await fn(client, ahead);
  } catch (error) {
    await abandon(client);
    throw error;
  }
  const committed = commit(client);
  // both are awaited before either is judged: an unhandled rejection would end the process
  const [statements, commitment] = await Promise.allSettled([Promise.allSettled(trailing.sent), committed]);
  if (commitment.status === "fulfilled") {
    client.release();
    return trailing.result;
  }
  const failed =
    statements.status === "fulfilled" ? statements.value.find((each) => each.status === "rejected") : undefined;
  // Statements that failed with their connection prove nothing: the server may have done them and COMMIT too, and only
  // its answers were lost. Only a statement that the server itself refused makes sure that nothing was committed.
  throw failed !== undefined && isCertainRefusal(failed.reason) ? failed.reason : commitment.reason;
}

/** Commits the transaction open on `client`; gives the connection away (and not back to the pool) if that fails. */
async function commit(client: PoolClient): Promise<void> {
  let answer: string;
  try {
    answer = (await client.query("commit")).command;
  } catch (error) {
    client.release(true);
    if (isCertainRefusal(error)) throw error;
    throw new DatabaseFault("commit_in_doubt", "The connection broke during COMMIT; it may have taken place.", error);
  }
  if (answer === "COMMIT") return;
  client.release();
  throw new DatabaseFault(
    "transaction_rolled_back",
    "The server rolled the transaction back at COMMIT because a statement in it had failed before.",
  );
}

/** Rolls back; a connection on which even that fails is thrown away. */
async function abandon(client: PoolClient): Promise<void> {
  try {
    await client.query("rollback");
  } catch {
    client.release(true);
    return;
  }
  client.release();
}

/** Lifts every time limit from the transaction open on `client`: a slow disk is not to be taken for a stalled holder. */
export async function allowLongTransaction(client: ClientBase): Promise<void> {
  // not by `set`, since PostgreSQL before 17 does not know all of them
  await client.query(
    `select set_config(name, '0', true) from pg_settings
     where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')`,
  );
}
