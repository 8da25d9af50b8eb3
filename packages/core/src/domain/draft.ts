import type { Id, Instant } from "../model/common.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Effect, EffectRow } from "../model/effect.ts";
import type { Actor, Change, Event, EventData, Refs } from "../model/event.ts";
import type { KeptItem, Parked } from "../model/parked.ts";
import type { Run } from "../model/run.ts";
import { listedUnder } from "../run/listed.ts";
import type { VersionHead } from "../workflow/compiled.ts";
import { stateOf } from "./derived.ts";
import type { EventType, NoticeType } from "./events.ts";
import { key } from "./keys.ts";
import { everywhere, isEverywhere, type Reach, reaches, type Standpoint } from "./reach.ts";
import type { Standing } from "./standing.ts";
import { Writer } from "./writer.ts";

/**
 * One decision in the making: it reads (`Reader`), changes (`Writer`), and here says what is to be told and done: events,
 * effects and runs. The whole is taken back when the command is refused. `decide` functions see nothing else of the world.
 */
export class Draft extends Writer {
  readonly actor: Actor;
  readonly events: Event[] = [];
  readonly effects: Effect[] = [];
  /** runs that this decision started; the mill takes their steps once it is quiet */
  readonly started: Id[] = [];
  again: KeptItem | null = null;
  readonly #standing: Standing;
  readonly #reach: Reach;

  /** `reach` is how far the right holds that the command asks for. */
  constructor(standing: Standing, reach: Reach = everywhere) {
    super(standing);
    this.#standing = standing;
    this.#reach = reach;
    this.actor = standing.actor;
  }

  /** Whether the right that the command asks for holds for a conversation. What is out of reach is answered as what is not there. */
  reaches(row: Standpoint): boolean {
    return isEverywhere(this.#reach) || reaches(this.#reach, row);
  }

  /** The same for one that something else names, or for one that it was merged into. Read only where the reach has an end. */
  reachesConversation(id: Id | null | undefined): boolean {
    if (isEverywhere(this.#reach)) return true;
    for (let next = id ?? null; next !== null;) {
      const row = this.conversation(next);
      if (row === null) return false;
      if (reaches(this.#reach, row)) return true;
      next = row.merged_into;
    }
    return false;
  }

  /** Whether it holds in a mailbox, for what is to be there. */
  reachesMailbox(id: Id): boolean {
    return this.#reach.mailboxes === null || this.#reach.mailboxes.includes(id);
  }

  /** The published version of a workflow, for starting it by name. */
  workflow(idOrSlug: string): VersionHead | null {
    return this.#standing.workflows.published(idOrSlug);
  }

  /**
   * An event that was left earlier, for whoever undoes it; null where the log keeps it no more. `customer` is the one that
   * its refs name, or one that stands for them.
   */
  event(id: Id, customer: Id | null): Event | null {
    const name = key.event(id, customer);
    const told = this.#standing.told?.find((event) => event.id === id);
    // read like any other, so that what a root has read does not depend on where batches were split
    if (told !== undefined) this.ledger.set(name, told);
    return this.ledger.get<Event>(name);
  }

  /** Queues a run; it takes its steps after the decision. */
  startRun(run: Run): void {
    this.ledger.create(key.run(run.id), run.id, run);
    this.started.push(run.id);
  }

  /** Puts a run that was ended from outside; its timer goes with it. */
  endRun(before: Run, ended: Run): void {
    this.ledger.set(key.run(ended.id), ended);
    this.ledger.set(key.timer(ended.id), null);
    for (const owner of listedUnder(before))
      this.ledger.updateList(key.waiting(owner), owner, (list) => list.filter((id) => id !== ended.id));
  }

  /** What a run started by this decision is to know of where it comes from. */
  get origin(): { readonly root: string; readonly depth: number } {
    return this.#standing;
  }

  /** Leaves an event behind; none when nothing changed and there is no `data` to tell. Returns its id. */
  emit(type: EventType | NoticeType, refs: Refs, changes: readonly Change[], data?: EventData): Id | null {
    if (changes.length === 0 && data === undefined) return null;
    const { at, actor, root, cause, depth } = this.#standing;
    const event: Event = {
      id: this.newId(),
      type,
      at,
      actor,
      root,
      cause,
      depth,
      refs,
      changes,
      ...(data && { data }),
    };
    this.events.push(event);
    return event.id;
  }

  putParked(row: Parked): void {
    this.ledger.set(key.parked(row.id), row);
  }

  /** Has an item that was kept decided as part of this decision: the mill does it. */
  doAgain(item: KeptItem): void {
    this.again = item;
  }

  putEffect(row: EffectRow): void {
    this.ledger.set(key.effect(row.id), row);
  }

  /** Asks for work in the outside world. */
  effect(fields: Pick<Effect, "kind" | "order_key" | "payload" | "refs"> & { readonly due_at?: Instant }): Id {
    const id = this.newId();
    const effect: Effect = {
      id,
      kind: fields.kind,
      order_key: fields.order_key,
      key: id,
      payload: fields.payload,
      run: this.#standing.cause.run ?? null,
      refs: this.#standing.depth === 0 ? fields.refs : { ...fields.refs, depth: this.#standing.depth },
      due_at: fields.due_at ?? this.at,
      attempt: 0,
      created_at: this.at,
    };
    this.effects.push(effect);
    this.ledger.create(key.effect(id), id, { ...effect, status: "due", lease_until: null, last_error: null });
    return id;
  }

  /** Ends the decision: tells of the customers whose state followed from what was changed. */
  finish(): void {
    for (const id of this.counted) {
      const row = this.customer(id) as CustomerRow;
      const state = stateOf(row);
      if (state === row.state) continue;
      this.emit("customer.state_changed", { customer: id }, this.changeCustomer(row, { state }));
    }
  }
}
