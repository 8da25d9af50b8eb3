import { setTimeout as delay } from "node:timers/promises";
import type { PoolClient } from "pg";
import type { Trailing } from "../db/transaction.ts";
import { type Admitted, LaneQueue, type Taken } from "./admission.ts";
import { answerAll, answerParked, isCommitted, rejectAll } from "./answers.ts";
import { type BatchContext, type BatchOrder, type BatchResult, runBatches } from "./batch.ts";
import { Births, type EffectHands } from "./births.ts";
import type { Convoys } from "./convoy.ts";
import { freshId } from "./fresh-id.ts";
import { LaneDoor, type Patience, type WaitingRoom, type Workplace } from "./hold.ts";
import { judge, LaneBusy } from "./judge.ts";
import { parkCommand, parkDue, parkSettlement } from "./park.ts";
import { EngineFault } from "./port.ts";
import { divide, type Portion, type Single, wholePortion } from "./portion.ts";

/** What a lane needs of the process around it. */
export interface LaneContext {
  /** what batches need */
  readonly batch: BatchContext;
  /** where batches run; the gate lets only so many at a time in: more would only make each smaller */
  readonly batches: Workplace;
  /** how batches get there, several lanes' in one transaction where they are small */
  readonly convoys: Convoys;
  readonly room: WaitingRoom;
  /** how long callers wait before they are told to come again, be it for the lane or for the database */
  readonly patienceMs: number;
  /** who holds effects from their birth, if anybody does now */
  readonly hands: () => EffectHands | null;
  /** whether the process is going: then what is due stays for others, and only what was admitted is carried */
  readonly stopping: () => boolean;
  onBatch(lane: number, result: BatchResult, seconds: number): void;
  onFault(lane: number, error: unknown, what: string): void;
}

/** A portion that no batch carried, and why. */
interface Failure {
  readonly portion: Portion;
  readonly error: unknown;
  /** what the batch did, if it came as far as COMMIT */
  readonly result: BatchResult | null;
  /** whether other lanes' batches were in the same transaction */
  readonly shared: boolean;
  /** the effects that it would have left; null where it was not begun */
  readonly births: Births | null;
}

/** A batch that costs the mill more than that, some 50 ms, would keep others waiting. */
const longOperations = 2000;
const backoffMs = [50, 100, 200, 400, 800, 1600] as const;

/**
 * One lane in this process: what waits for it, and the loop that carries it, batch after batch, while there is any.
 * Several processes take turns at a lane; the lane's row says whose turn it is.
 */
export class Lane {
  readonly number: number;
  readonly queue = new LaneQueue();
  readonly door: LaneDoor;
  readonly #context: LaneContext;
  #running: Promise<void> | null = null;
  #failures = 0;
  /** whether the batch in hand met trouble that a pause may mend */
  #troubled = false;
  #lastError: unknown = null;
  /** effects of batches of which nobody could say whether they were committed: were they, nobody performs them */
  #doubtful: Births[] = [];
  /** whether the last batch had so much to do that others should not wait for the next one */
  #long = false;

  constructor(number: number, context: LaneContext) {
    this.number = number;
    this.door = new LaneDoor(number, context.room);
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
    const sweeper = setInterval(() => this.#sendAway(), Math.min(500, this.#context.patienceMs / 4));
    sweeper.unref();
    try {
      while (!this.queue.empty) {
        await this.#carryNext();
        this.#failures = this.#troubled ? this.#failures + 1 : 0;
        this.#troubled = false;
        if (this.#failures > 0) await this.#pause(this.#failures);
      }
    } finally {
      clearInterval(sweeper);
    }
  }

  #pause(failures: number): Promise<void> {
    return delay(backoffMs[Math.min(failures, backoffMs.length) - 1]);
  }

  /** Whoever has waited for too long hears so, whatever the lane waits for. */
  #sendAway(): void {
    const late = this.queue.takeOlder(performance.now() - this.#context.patienceMs);
    if (late.admitted.length + late.settlements.length === 0) return;
    rejectAll(late, this.#unavailable(this.door.waitingMs > 0 ? new LaneBusy(this.number) : this.#lastError));
  }

  /** The process is going: nobody can wait any longer. */
  sendAllAway(): void {
    this.queue.due = false;
    rejectAll(this.queue.takeOlder(Infinity), new EngineFault("shutting_down", "The server is shutting down"));
  }

  #unavailable(cause: unknown): EngineFault {
    const why =
      cause instanceof LaneBusy
        ? "Another transaction holds what this organization's changes need"
        : cause === null
          ? "Too much waits for this organization's changes"
          : "The database cannot be reached";
    return new EngineFault("unavailable", why, { cause });
  }

  /** A batch of what waits. It is taken with the lane in hand, so that all that came meanwhile is carried with it. */
  async #carryNext(): Promise<void> {
    let portion: Portion | null = null;
    const patience = { until: Infinity, wanted: () => !this.queue.empty };
    const failure = await this.#attempt(patience, () => (portion ??= wholePortion(this.queue.take())), true);
    if (failure === null) return;
    if (portion !== null) return this.#mend({ portion, ...failure });
    // nobody waits any more
    if (failure.error instanceof LaneBusy) return;
    this.#troubled = true;
    this.#lastError = failure.error;
    this.#context.onFault(this.number, failure.error, judge(failure.error));
  }

  /** Carries a portion, in company if it may be; answers why it could not be. */
  async #attempt(
    patience: Patience,
    portionNow: () => Portion,
    inCompany = false,
  ): Promise<Omit<Failure, "portion"> | null> {
    const { batches } = this.#context;
    let portion: Portion | null = null;
    let births: Births | null = null;
    let result: BatchResult | null = null;
    let shared = false;
    let started = performance.now();
    const board = async (client: PoolClient, company: number): Promise<BatchOrder> => {
      shared = company > 1;
      started = performance.now();
      for (const each of this.#doubtful) await each.giveBack(client);
      portion = portionNow();
      births = new Births(this.number, this.#context.hands());
      return { lane: this.number, id: freshId(), ...portion, births };
    };
    const decided = (given: BatchResult): void => {
      result = given;
    };
    const alone = async (client: PoolClient): Promise<Trailing<void>> => {
      const { result: results, sent } = await runBatches(client, [await board(client, 1)], this.#context.batch);
      decided(results.get(this.number) as BatchResult);
      return { result: undefined, sent };
    };
    const together = async (had: () => void): Promise<{ readonly result: void } | null> => {
      const held = await this.#context.convoys.carry({
        lane: this.number,
        size: () => this.#seats(),
        organizations: () => this.queue.organizations(),
        board(client, company) {
          had();
          return board(client, company);
        },
        decided,
      });
      return held ? { result: undefined } : null;
    };
    try {
      await this.door.hold(batches, patience, alone, inCompany ? together : undefined);
    } catch (error) {
      (births as Births | null)?.failed();
      return { error, births, result, shared };
    }
    this.#doubtful = [];
    (births as Births | null)?.committed();
    const { taken } = portion as unknown as Portion;
    this.#committed(taken, result as unknown as BatchResult, (performance.now() - started) / 1000);
    return null;
  }

  /** How many seats the next batch takes among those of others; bulk work, whose time is counted, and long work go alone. */
  #seats(): number {
    const { interactive, bulk, settlements } = this.queue;
    return bulk.length > 0 || this.#long ? Infinity : interactive.length + settlements.length;
  }

  /** Committed: whatever goes wrong from here on must not have it carried again. */
  #committed(taken: Taken, result: BatchResult, seconds: number): void {
    this.#lastError = null;
    this.#long = result.more || result.operations > longOperations;
    this.queue.giveBack(result.notReached.admitted, result.notReached.settlements);
    this.queue.spent(taken, seconds);
    if (result.more) this.#dueAgain();
    try {
      answerAll(taken, result);
      this.#context.onBatch(this.number, result, seconds);
    } catch (error) {
      this.#context.onFault(this.number, error, "after_commit");
    }
  }

  #dueAgain(): void {
    if (!this.#context.stopping()) this.queue.due = true;
  }

  /** Sees to a portion that failed, and to its parts, piece by piece and in their order. */
  async #mend(first: Failure): Promise<void> {
    const waiting: Portion[] = [];
    for (let failure: Failure | null = first; ;) {
      if (failure !== null) waiting.push(...(await this.#recover(failure)).toReversed());
      const portion = waiting.pop();
      if (portion === undefined) return;
      const failed = await this.#attempt(this.#patience(portion.taken), () => portion);
      failure = failed === null ? null : { portion, ...failed };
    }
  }

  /** For as long as the one who waits longest can be asked to. */
  #patience({ admitted, settlements }: Taken): Patience {
    const since = Math.min(performance.now(), ...[...admitted, ...settlements].map((each) => each.since));
    return { until: since + this.#context.patienceMs };
  }

  /** What is to be carried instead of a portion that failed. */
  async #recover({ portion, error, births, result, shared }: Failure): Promise<readonly Portion[]> {
    const { taken } = portion;
    const kind = judge(error);
    this.#context.onFault(this.number, error, kind);
    if (kind === "in_doubt") await this.#resolveDoubt(taken, births, result);
    else if (kind === "retryable") this.#later(taken, error);
    // another lane's batch may be to blame
    else if (shared) return [portion];
    else {
      const division = divide(portion);
      if (division.single !== null) await this.#setAside(division.single, error, kind === "too_long");
      else {
        if (division.dueRemains) this.#dueAgain();
        return division.parts;
      }
    }
    return [];
  }

  /** COMMIT may have taken place: the batch's receipt tells, once the lane is ours again (DESIGN section 4). */
  async #resolveDoubt(taken: Taken, births: Births | null, result: BatchResult | null): Promise<void> {
    this.#troubled = true;
    const since = performance.now();
    const until = since + this.#context.patienceMs;
    for (let tries = 1; ; tries += 1) {
      try {
        const receipt = result?.receipt ?? null;
        const committed = await this.#transact(until, async (client) => {
          // were it committed, nobody would perform them until their leases end
          await births?.giveBack(client);
          return receipt !== null && (await isCommitted(client, this.number, receipt));
        });
        if (committed && result !== null) {
          // what it held was let go of
          const seconds = (performance.now() - since) / 1000;
          this.#committed(taken, { ...result, effectsLeft: true }, seconds);
        }
        // a settled effect may be settled again: the mill drops what no longer waits
        else this.queue.giveBack(taken.admitted, taken.settlements);
        return;
      } catch (error) {
        this.#context.onFault(this.number, error, "look_up");
        if (judge(error) !== "terminal" && performance.now() < until) {
          await this.#pause(tries);
          continue;
        }
        if (births !== null) this.#doubtful.push(births);
        // whenever the database is back: others may have nothing to do here
        this.#dueAgain();
        const why = "The database did not say whether this was committed";
        return rejectAll(taken, new EngineFault("commit_unknown", why, { cause: error }));
      }
    }
  }

  /** Nothing was done: again, for as long as the callers can be asked to wait. */
  #later({ admitted, settlements }: Taken, error: unknown): void {
    this.#troubled = true;
    this.#lastError = error;
    const now = performance.now();
    const patient = (each: { readonly since: number }): boolean => now - each.since < this.#context.patienceMs;
    const late = {
      admitted: admitted.filter((each) => !patient(each)),
      settlements: settlements.filter((each) => !patient(each)),
    };
    rejectAll(late, this.#unavailable(error));
    this.queue.giveBack(admitted.filter(patient), settlements.filter(patient));
  }

  /** The poison stands alone: it is kept for a person. What is only too long for now is tried again. */
  async #setAside(single: Single, error: unknown, tooLong: boolean): Promise<void> {
    if (single.kind === "due") {
      if (tooLong) this.#troubled = true;
      else await this.#park((client) => parkDue(client, this.number, single.due, error));
      return this.#dueAgain();
    }
    if (single.kind === "settlement") {
      const { settlement } = single;
      if (tooLong) return this.#later({ admitted: [], settlements: [settlement] }, error);
      await this.#park((client) => parkSettlement(client, this.number, settlement, error));
      return settlement.done();
    }
    const { command }: { readonly command: Admitted } = single;
    if (tooLong) return this.#later({ admitted: [command], settlements: [] }, error);
    await this.#park((client) => parkCommand(client, this.number, command, error));
    return answerParked(command, error);
  }

  async #park(fn: (client: PoolClient) => Promise<void>): Promise<void> {
    try {
      await this.#transact(performance.now() + this.#context.patienceMs, fn);
    } catch (error) {
      this.#troubled = true;
      this.#context.onFault(this.number, error, "park");
    }
  }

  /** A transaction that holds the lane, with the lock had by an instant. */
  #transact<T>(until: number, fn: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.door.hold(this.#context.batches, { until }, async (client) => ({ result: await fn(client), sent: [] }));
  }
}
