import { decide, type Decision } from "../domain/decide.ts";
import { Ledger, type Mark, type World } from "../domain/ledger.ts";
import { minter, seedsOf } from "../id/id.ts";
import type { Command } from "../model/command.ts";
import type { Id, Instant } from "../model/common.ts";
import type { Cause, Event } from "../model/event.ts";
import { AllowanceSpent, type Meter, stepsPerOperation } from "../template/meter.ts";
import { type QueueMark, RunQueue } from "./run-queue.ts";
import type { Config, Item, Leftover, Poisoned, Receipt, Reply, Withheld } from "./types.ts";

/** An item while it is driven to quiet: its ids, its allowance and the runs that still have steps to take. */
export interface Root {
  readonly id: string;
  readonly at: Instant;
  /** its ids by their numbers */
  readonly ids: (n: number) => Id;
  minted: number;
  /** operations spent of the allowance; the work of texts and conditions beyond an operation's own counts in parts of one */
  spent: number;
  /** runs that it started by matching */
  started: number;
  withheld: Withheld | null;
  /** whether a trigger could not be tested for want of it: the first such is a failed run */
  overspent: boolean;
  /** steps of work that the operation under way has still of its own */
  free: number;
  readonly meter: Meter;
  readonly queue: RunQueue;
}

/** Everything to come back to when an item, a step or a match must leave nothing behind. */
export interface Save {
  readonly ledger: Mark;
  readonly events: number;
  readonly replies: number;
  readonly receipts: number;
  readonly dropped: number;
  readonly minted: number;
  readonly started: number;
  readonly withheld: Withheld | null;
  readonly queue: QueueMark;
}

/** One call of `process`: the ledger and all that the batch will hand out. Only this folder sees it. */
export class Batch {
  readonly organization: Id;
  readonly config: Config;
  readonly ledger: Ledger;
  readonly events: Event[] = [];
  readonly replies: Reply[] = [];
  readonly receipts: Receipt[] = [];
  readonly dropped: Item[] = [];
  readonly poisoned: Poisoned[] = [];
  /** operations left of the slice */
  budget: number;

  readonly #seedOf: ReturnType<typeof seedsOf>;

  constructor(organization: Id, world: World, config: Config, slice: number) {
    this.organization = organization;
    this.#seedOf = seedsOf(organization);
    this.config = config;
    this.ledger = new Ledger(world);
    this.budget = slice;
  }

  /** A root at its beginning, or as a slice left it. */
  root(id: string, at: Instant, leftover?: Leftover): Root {
    this.ledger.resetReads(leftover?.reads);
    const root: Root = {
      id,
      at,
      ids: minter(at, this.#seedOf(id)),
      minted: leftover?.minted ?? 0,
      spent: leftover?.spent ?? 0,
      started: leftover?.started ?? 0,
      withheld: leftover?.withheld ?? null,
      overspent: false,
      free: 0,
      meter: {
        left: () => root.free + Math.max(0, this.allowance - root.spent) * stepsPerOperation,
        take: (steps) => this.#take(root, steps),
      },
      queue: new RunQueue(leftover?.queue),
    };
    return root;
  }

  /** Operations that one root may cause (MILL law 7). */
  get allowance(): number {
    return this.config.settings.organization.limits.allowance;
  }

  mint(root: Root): Id {
    return root.ids(root.minted++);
  }

  /** One operation: a decision, a start or a step. Counts against the slice and the root's allowance. */
  spend(root: Root): void {
    this.budget -= 1;
    root.spent += 1;
    root.free = stepsPerOperation;
  }

  /**
   * Steps of evaluating: an operation has some of its own, and what it needs beyond these counts as more operations. That
   * is never taken back, or what fails by it could be tried for ever. Parts of a power of two add up exactly, in any order.
   */
  #take(root: Root, steps: number): void {
    const more = steps - root.free;
    root.free = more > 0 ? 0 : -more;
    if (more <= 0) return;
    this.budget -= more / stepsPerOperation;
    root.spent += more / stepsPerOperation;
    if (root.spent > this.allowance) throw new AllowanceSpent();
  }

  save(root: Root): Save {
    return {
      ledger: this.ledger.mark(),
      events: this.events.length,
      replies: this.replies.length,
      receipts: this.receipts.length,
      dropped: this.dropped.length,
      minted: root.minted,
      started: root.started,
      withheld: root.withheld,
      queue: root.queue.mark(),
    };
  }

  restore(root: Root, save: Save): void {
    this.ledger.rollback(save.ledger);
    this.events.length = save.events;
    this.replies.length = save.replies;
    this.receipts.length = save.receipts;
    this.dropped.length = save.dropped;
    root.minted = save.minted;
    root.started = save.started;
    root.withheld = save.withheld;
    root.queue.goBack(save.queue);
  }

  /** Decides a command for this root. What it left is in the ledger and among the events; matching is the caller's next act. */
  decide(root: Root, command: Command, from: { readonly cause: Cause; readonly depth: number }): Decision {
    const decision = decide(command, {
      ledger: this.ledger,
      settings: this.config.settings,
      workflows: this.config.workflows,
      actor: command.actor,
      at: root.at,
      root: root.id,
      cause: from.cause,
      depth: from.depth,
      mint: () => this.mint(root),
      told: this.events,
    });
    this.events.push(...decision.events);
    return decision;
  }
}
