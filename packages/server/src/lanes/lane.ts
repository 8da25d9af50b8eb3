import { setTimeout as delay } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { classifyFault } from "../db/fault-table.ts";
import { transaction } from "../db/transaction.ts";
import { type Admitted, batchLimits, LaneQueue, type Settlement } from "./admission.ts";
import { type BatchContext, type BatchResult, type HeadLimits, runBatch } from "./batch.ts";
import { EngineFault, type Submitted } from "./port.ts";
import { answerAll, lookUpReceipts } from "./answers.ts";
import { parkCommand, parkDue } from "./park.ts";

/** What a lane needs of the process around it. */
export interface LaneContext extends BatchContext {
  readonly pool: Pool;
  /** lets only so many batches run at a time: more would only make each smaller */
  readonly gate: Gate;
  onBatch(lane: number, result: BatchResult, seconds: number): void;
  onFault(lane: number, error: unknown, what: string): void;
}

/** A counting gate. */
export interface Gate {
  enter(): Promise<() => void>;
}

/** Set inside the transaction, because a pooler would drop what is set on the session. A stalled holder is cut off by these. */
const begin =
  "begin; set local idle_in_transaction_session_timeout = '15s'; set local lock_timeout = '20s'; set local transaction_timeout = '60s'";

/** How long callers wait through database trouble before they are told to come again. */
const patienceMs = 20_000;
const backoffMs = [50, 100, 200, 400, 800, 1600] as const;

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

  constructor(number: number, context: LaneContext) {
    this.number = number;
    this.#context = context;
  }

  /** Sees that what waits is carried; answers when the lane is quiet in this process. */
  kick(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      // what came between the last look and now
      if (!this.queue.empty) void this.kick();
    });
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
      if (this.#failures > 0) await delay(backoffMs[Math.min(this.#failures, backoffMs.length) - 1]);
    }
  }

  async #carry(taken: Taken, heads: HeadLimits = batchLimits): Promise<void> {
    const started = performance.now();
    try {
      const result = await this.#transact((client) => runBatch(client, this.number, taken, this.#context, heads));
      this.#failures = 0;
      this.queue.giveBack(result.notReached.admitted, result.notReached.settlements);
      if (result.more) this.queue.due = true;
      answerAll(taken, result);
      this.#context.onBatch(this.number, result, (performance.now() - started) / 1000);
    } catch (error) {
      await this.#recover(taken, heads, error);
    }
  }

  /** A transaction that holds the lane; the lock is taken by a statement of its own before anything is read. */
  async #transact<T>(fn: (client: PoolClient) => Promise<T>): Promise<T> {
    return transaction(
      this.#context.pool,
      async (client) => {
        await client.query({ name: "lock_lane", text: "select lane from lanes where lane = $1 for update", values: [this.number] });
        return fn(client);
      },
      { begin },
    );
  }

  async #recover(taken: Taken, heads: HeadLimits, error: unknown): Promise<void> {
    const kind = classifyFault(error);
    this.#context.onFault(this.number, error, kind);
    if (kind === "in_doubt") return this.#resolveDoubt(taken);
    if (kind === "retryable") {
      this.#failures += 1;
      return this.#later(taken, error);
    }
    return this.#bisect(taken, heads, error);
  }

  /** COMMIT may have taken place: the receipts tell, once the lane is ours again (DESIGN section 4). */
  async #resolveDoubt(taken: Taken): Promise<void> {
    this.#failures += 1;
    try {
      const ids = taken.admitted.map((each) => each.id);
      const known = await this.#transact((client) => lookUpReceipts(client, this.number, ids));
      const lost: Admitted[] = [];
      for (const each of taken.admitted) {
        const answer = known.get(each.id);
        if (answer === undefined) lost.push(each);
        else each.resolve({ command: each.id, answer, repeated: false, cut: false } satisfies Submitted);
      }
      // a settled effect may be settled again: the mill drops what no longer waits
      this.queue.giveBack(lost, taken.settlements);
    } catch (error) {
      for (const each of taken.admitted) {
        each.reject(new EngineFault("commit_unknown", "The database did not say whether this was committed", { cause: error }));
      }
      for (const each of taken.settlements) each.done(error);
    }
  }

  /** Nothing was done: again, for as long as the callers can be asked to wait. */
  #later(taken: Taken, error: unknown): void {
    const now = performance.now();
    const patient = taken.admitted.filter((each) => now - each.since < patienceMs);
    for (const each of taken.admitted) {
      if (!patient.includes(each)) each.reject(new EngineFault("unavailable", "The database cannot be reached", { cause: error }));
    }
    this.queue.giveBack(patient, []);
    for (const each of taken.settlements) each.done(error);
  }

  /** A batch that fails by a bug is halved until the poisonous item stands alone, which is kept for a person. */
  async #bisect(taken: Taken, heads: HeadLimits, error: unknown): Promise<void> {
    const none: HeadLimits = { timers: 0, wakes: 0 };
    const { admitted, settlements } = taken;
    if (heads.timers + heads.wakes > 0 && admitted.length + settlements.length > 0) {
      // the due things apart from the callers' commands: either may be the poison
      await this.#carry(taken, none);
      return this.#carry({ admitted: [], settlements: [] }, heads);
    }
    if (heads.timers + heads.wakes > 0) {
      if (heads.timers + heads.wakes > 2) return this.#carry(taken, { timers: 1, wakes: 1 });
      return this.#park((client) => parkDue(client, this.number, error));
    }
    if (admitted.length > 0 && settlements.length > 0) {
      await this.#carry({ admitted, settlements: [] }, none);
      return this.#carry({ admitted: [], settlements }, none);
    }
    if (admitted.length + settlements.length > 1) {
      const a = Math.ceil(admitted.length / 2);
      const s = Math.ceil(settlements.length / 2);
      await this.#carry({ admitted: admitted.slice(0, a), settlements: settlements.slice(0, s) }, none);
      return this.#carry({ admitted: admitted.slice(a), settlements: settlements.slice(s) }, none);
    }
    for (const each of settlements) each.done(error);
    const [only] = admitted;
    if (only === undefined) return this.#park((client) => parkDue(client, this.number, error));
    await this.#park((client) => parkCommand(client, this.number, only, error));
    if (only.command.type === "message.receive") {
      // an inbound message is parked for a person, never refused (MILL law 11)
      only.resolve({ command: only.id, answer: { ok: true, result: { parked: only.id } }, repeated: false, cut: false });
    } else only.reject(new EngineFault("internal", `A fault inside Threadmill; the command was kept as ${only.id}`, { cause: error }));
  }

  async #park(fn: (client: PoolClient) => Promise<void>): Promise<void> {
    try {
      await this.#transact(fn);
    } catch (error) {
      this.#failures += 1;
      this.#context.onFault(this.number, error, "park");
    }
  }
}

/** What one batch took from the queue. */
export interface Taken {
  readonly admitted: readonly Admitted[];
  readonly settlements: readonly Settlement[];
}
