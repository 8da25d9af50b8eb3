import { setTimeout as delay } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { pipelined, type Trailing } from "../db/transaction.ts";
import { type Admitted, batchLimits, LaneQueue, type Settlement } from "./admission.ts";
import { type BatchContext, type BatchResult, type HeadLimits, runBatch } from "./batch.ts";
import { EngineFault } from "./port.ts";
import { answerAll, answerParked, lookUpReceipts } from "./answers.ts";
import { judge, LaneNotHeld } from "./judge.ts";
import { beginInLane } from "./hold.ts";
import { type DueKind, dueKinds, parkCommand, parkDue, parkSettlement } from "./park.ts";

/** What a lane needs of the process around it. */
export interface LaneContext extends BatchContext {
  readonly pool: Pool;
  /** lets only so many batches run at a time: more would only make each smaller */
  readonly gate: Gate;
  /** how long callers wait through database trouble before they are told to come again */
  readonly patienceMs: number;
  /** whether the process is going: then what is due stays for others, and only what was admitted is carried */
  readonly stopping: () => boolean;
  onBatch(lane: number, result: BatchResult, seconds: number): void;
  onFault(lane: number, error: unknown, what: string): void;
}

/** A counting gate. */
export interface Gate {
  enter(): Promise<() => void>;
}

const backoffMs = [50, 100, 200, 400, 800, 1600] as const;

const noHeads: HeadLimits = { leftovers: 0, timers: 0, conversations: 0, customers: 0 };
const nothingTaken: Taken = { admitted: [], settlements: [] };

/**
 * One lane in this process: what waits for it, and the loop that carries it, batch after batch, while there is any.
 * Several processes take turns at a lane; the lane's row says whose turn it is.
 */
export class Lane {
  readonly number: number;
  readonly queue = new LaneQueue();
  readonly #context: LaneContext;
  #running: Promise<void> | null = null;
  #failures = 0;
  /** whether the batch in hand met trouble that a pause may mend */
  #troubled = false;

  constructor(number: number, context: LaneContext) {
    this.number = number;
    this.#context = context;
  }

  /** Whether nothing waits and nothing is being carried. */
  get quiet(): boolean {
    return this.#running === null && this.queue.empty;
  }

  /** Sees that what waits is carried; answers when the lane is quiet in this process. */
  kick(): Promise<void> {
    this.#running ??= this.#run()
      .finally(() => {
        this.#running = null;
      })
      // what came between the last look and now
      .then(() => (this.queue.empty ? undefined : this.kick()));
    return this.#running;
  }

  async #run(): Promise<void> {
    // what arrives in this turn of the event loop shares the first batch
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.queue.empty) {
      const leave = await this.#context.gate.enter();
      try {
        await this.#carry(this.queue.take());
      } finally {
        leave();
      }
      this.#failures = this.#troubled ? this.#failures + 1 : 0;
      this.#troubled = false;
      if (this.#failures > 0) await this.#pause(this.#failures);
    }
  }

  #pause(failures: number): Promise<void> {
    return delay(backoffMs[Math.min(failures, backoffMs.length) - 1]);
  }

  async #carry(taken: Taken, heads: HeadLimits = batchLimits): Promise<void> {
    const started = performance.now();
    let result: BatchResult;
    try {
      result = await this.#hold((client) => runBatch(client, this.number, taken, this.#context, heads));
    } catch (error) {
      return this.#recover(taken, heads, error);
    }
    // committed: whatever goes wrong from here on must not have it carried again
    this.queue.giveBack(result.notReached.admitted, result.notReached.settlements);
    if (result.more) this.#dueAgain();
    try {
      answerAll(taken, result);
      this.#context.onBatch(this.number, result, (performance.now() - started) / 1000);
    } catch (error) {
      this.#context.onFault(this.number, error, "after_commit");
    }
  }

  #dueAgain(): void {
    if (!this.#context.stopping()) this.queue.due = true;
  }

  /** A transaction that holds the lane: the lock is a statement of its own, sent with BEGIN, before anything is read. */
  #transact<T>(fn: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#hold(async (client) => ({ result: await fn(client), sent: [] }));
  }

  async #hold<T>(fn: (client: PoolClient) => Promise<Trailing<T>>): Promise<T> {
    let held = false;
    const work = (client: PoolClient): Promise<Trailing<T>> => {
      held = true;
      return fn(client);
    };
    try {
      return await pipelined(this.#context.pool, work, { begin: beginInLane(this.number) });
    } catch (error) {
      throw held ? error : new LaneNotHeld(error);
    }
  }

  async #recover(taken: Taken, heads: HeadLimits, error: unknown): Promise<void> {
    const kind = judge(error);
    this.#context.onFault(this.number, error, kind);
    if (kind === "in_doubt") return this.#resolveDoubt(taken);
    if (kind === "retryable") return this.#later(taken, error);
    return this.#bisect(taken, heads, error, kind === "too_long");
  }

  /** COMMIT may have taken place: the receipts tell, once the lane is ours again (DESIGN section 4). */
  async #resolveDoubt(taken: Taken): Promise<void> {
    this.#troubled = true;
    const since = performance.now();
    for (let tries = 1; ; tries += 1) {
      try {
        const known = await this.#transact((client) => lookUpReceipts(client, this.number, taken.admitted));
        for (const each of taken.admitted) {
          const answer = known.get(each.id);
          if (answer !== undefined) each.resolve({ command: each.id, answer, repeated: false, cut: false });
        }
        // a settled effect may be settled again: the mill drops what no longer waits
        this.queue.giveBack(
          taken.admitted.filter((each) => !known.has(each.id)),
          taken.settlements,
        );
        return;
      } catch (error) {
        this.#context.onFault(this.number, error, "look_up");
        if (judge(error) !== "terminal" && performance.now() - since < this.#context.patienceMs) {
          await this.#pause(tries);
          continue;
        }
        const fault = new EngineFault("commit_unknown", "The database did not say whether this was committed", {
          cause: error,
        });
        for (const each of taken.admitted) each.reject(fault);
        for (const each of taken.settlements) each.done(fault);
        return;
      }
    }
  }

  /** Nothing was done: again, for as long as the callers can be asked to wait. */
  #later(taken: Taken, error: unknown): void {
    this.#troubled = true;
    const now = performance.now();
    const patient = (each: { readonly since: number }): boolean => now - each.since < this.#context.patienceMs;
    const fault = new EngineFault("unavailable", "The database cannot be reached", { cause: error });
    for (const each of taken.admitted) if (!patient(each)) each.reject(fault);
    for (const each of taken.settlements) if (!patient(each)) each.done(fault);
    this.queue.giveBack(taken.admitted.filter(patient), taken.settlements.filter(patient));
  }

  /**
   * A batch that fails by a bug is halved until the poisonous item stands alone, which is kept for a person. What is due
   * is looked at first and apart from the callers' commands: a command must not be blamed for a left-over.
   */
  async #bisect(taken: Taken, heads: HeadLimits, error: unknown, tooLong: boolean): Promise<void> {
    const { admitted, settlements } = taken;
    const kinds = dueKinds.filter((kind) => heads[kind] > 0);
    if (kinds.length > 0 && admitted.length + settlements.length > 0) {
      await this.#carry(nothingTaken, heads);
      return this.#carry(taken, noHeads);
    }
    if (kinds.length > 1) {
      for (const kind of kinds) await this.#carry(nothingTaken, { ...noHeads, [kind]: heads[kind] });
      return;
    }
    const [kind] = kinds;
    if (kind !== undefined) return this.#bisectDue(kind, heads[kind], error, tooLong);
    if (admitted.length > 0 && settlements.length > 0) {
      await this.#carry({ admitted, settlements: [] }, noHeads);
      return this.#carry({ admitted: [], settlements }, noHeads);
    }
    if (admitted.length + settlements.length > 1) {
      const a = Math.ceil(admitted.length / 2);
      const s = Math.ceil(settlements.length / 2);
      await this.#carry({ admitted: admitted.slice(0, a), settlements: settlements.slice(0, s) }, noHeads);
      return this.#carry({ admitted: admitted.slice(a), settlements: settlements.slice(s) }, noHeads);
    }
    if (tooLong) return this.#later(taken, error);
    for (const each of settlements) {
      await this.#park((client) => parkSettlement(client, this.number, each, error));
      each.done();
    }
    for (const each of admitted) {
      await this.#park((client) => parkCommand(client, this.number, each, error));
      answerParked(each, error);
    }
  }

  /** What falls due is taken in order, so the first half is tried; the next batches see to the rest. */
  async #bisectDue(kind: DueKind, count: number, error: unknown, tooLong: boolean): Promise<void> {
    if (count > 1) await this.#carry(nothingTaken, { ...noHeads, [kind]: Math.ceil(count / 2) });
    else if (tooLong) this.#troubled = true;
    else await this.#park((client) => parkDue(client, this.number, kind, error));
    this.#dueAgain();
  }

  async #park(fn: (client: PoolClient) => Promise<void>): Promise<void> {
    try {
      await this.#transact(fn);
    } catch (error) {
      this.#troubled = true;
      this.#context.onFault(this.number, error, "park");
    }
  }
}

/** What one batch took from the queue. */
export interface Taken {
  readonly admitted: readonly Admitted[];
  readonly settlements: readonly Settlement[];
}
