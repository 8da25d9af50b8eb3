import type { Effect } from "@threadmill/core";
import type { PoolClient } from "pg";
import { columnsOf } from "./statements.ts";
import { worldTables } from "./tables.ts";

/** An effect that this process holds until its lease ends. */
export interface HeldEffect extends Effect {
  readonly lane: number;
  readonly organization: string;
  /** whether another worker began it and was never heard of again: what it did in the world is not known */
  readonly lost: boolean;
}

/** A lease is a minute at most: what a killed process held is done by another soon after. */
export const leaseSeconds = 60;

/** Those who perform effects in this process, and hold some from their birth: no statement has to claim these. */
export interface EffectHands {
  /** of effects that they hold from birth */
  readonly kinds: readonly string[];
  /** Keeps a place for one; false where there is none, or where others have waited for longer. */
  reserve(): boolean;
  /** Lets go of places that were reserved. */
  free(places: number): void;
  /** Takes effects into reserved places, once they are committed. `since`, by `performance.now()`: no later than their leases began. */
  hold(effects: readonly HeldEffect[], since: number): void;
  /** Lets go of effects that were never begun. */
  giveBack(client: PoolClient, effects: readonly HeldEffect[]): Promise<void>;
}

type Row = Readonly<Record<string, unknown>>;
/** A new effect as it is to be written; `ask`: only the database knows whether one of its order key goes before it. */
type Born = { readonly row: Row; readonly ask: boolean };

const heldOf = (lane: number, organization: string, row: unknown): HeldEffect => ({
  ...(row as Effect),
  lane,
  organization,
  lost: false,
});

/**
 * Nobody performs another of its order key. Only one that had failed before can find that so: a person has it tried again
 * while a younger one, which went meanwhile, is under way.
 */
export const isAlone = (row: string): string => `(${row}.last_error is null or not exists (
  select from effects o
  where o.lane = ${row}.lane and o.organization = ${row}.organization and o.order_key = ${row}.order_key and o.status <> 'dead'
    and o.id <> ${row}.id and o.lease_until > clock_timestamp()))`;

/** Of the order keys whose first effect ended: the next one, where its instant has come and nobody holds it. */
const claimNextStatement = {
  name: "claim_next_effects",
  text: `update effects e set attempt = e.attempt + 1, lease_until = $4, begun = false
from unnest($2::uuid[], $3::text[]) as k(organization, order_key) cross join lateral (
  select o.id from effects o
  where o.lane = $1 and o.organization = k.organization and o.order_key = k.order_key and o.status <> 'dead'
  order by o.created_at, o.ordinal limit 1) h
where e.lane = $1 and e.organization = k.organization and e.id = h.id
  and e.status <> 'dead' and e.due_at <= clock_timestamp() and e.lease_until is null and e.kind = any($5)
  and ${isAlone("e")}
returning e.organization, ${columnsOf(worldTables.effects, "e")}`,
};

/**
 * The effects of one batch that its own process holds as soon as they are committed. Whether one may be held is certain
 * under the lane's lock: effects come and go in batches alone. It is the first of its order key where the key was made in this
 * batch; otherwise the statement that writes it looks. Where a batch ends an effect, it claims the one that follows.
 */
export class Births {
  readonly #lane: number;
  readonly #hands: EffectHands | null;
  readonly #since = performance.now();
  #until = "";
  #at = "";
  /** order keys of which the batch wrote an effect: whatever comes later is not the first */
  readonly #keys = new Set<string>();
  readonly #ended = new Map<string, readonly [organization: string, key: string]>();
  readonly #held: HeldEffect[] = [];
  readonly #asked = new Map<string, HeldEffect>();
  #places = 0;
  /** effects that may go and that nobody holds, as far as is known */
  #left = 0;

  constructor(lane: number, hands: EffectHands | null) {
    this.#lane = lane;
    this.#hands = hands;
  }

  /** whether it left effects that others may claim */
  get left(): boolean {
    return this.#left > 0;
  }

  /** Tells the batch's instant, by the database's clock. */
  begin(at: string): void {
    this.#at = at;
    this.#until = new Date(Date.parse(at) + leaseSeconds * 1000).toISOString();
  }

  /** How a new effect is to be written. `fresh`: its order key was made in this batch. */
  born(organization: string, row: Row, fresh: boolean): Born {
    const { id, kind, order_key, due_at } = row as unknown as Effect;
    const name = `${organization}/${order_key}`;
    // what ends the one before it claims it
    if (this.#keys.has(name)) return { row, ask: false };
    this.#keys.add(name);
    if (this.#hands?.kinds.includes(kind) !== true || due_at > this.#at || !this.#reserve()) {
      this.#left += 1;
      return { row, ask: false };
    }
    const claimed = { ...row, attempt: 1, lease_until: this.#until };
    const held = heldOf(this.#lane, organization, claimed);
    if (fresh) this.#held.push(held);
    else this.#asked.set(id, held);
    return { row: claimed, ask: !fresh };
  }

  /** One of an order key ended, or may go again: another one may be the first now. */
  ended(organization: string, key: string): void {
    this.#ended.set(`${organization}/${key}`, [organization, key]);
  }

  /** Claims what follows the effects that ended. To be called when all else of the batch was sent; the answer is to be awaited with COMMIT. */
  claimNext(client: PoolClient): Promise<unknown> | null {
    const keys = [...this.#ended.values()].filter(() => this.#hands !== null && this.#reserve());
    this.#left += this.#ended.size - keys.length;
    if (keys.length === 0) return null;
    const values = [
      this.#lane,
      keys.map(([place]) => place),
      keys.map(([, key]) => key),
      this.#until,
      this.#hands?.kinds,
    ];
    return client.query({ ...claimNextStatement, values }).then(({ rows }: { readonly rows: HeldEffect[] }) => {
      for (const row of rows) this.#held.push(heldOf(this.#lane, row.organization, row));
    });
  }

  /** What the database answered to `insertEffectsIfFirst`. */
  readonly answered = ({
    rows,
  }: {
    readonly rows: readonly { readonly id: string; readonly first: boolean }[];
  }): void => {
    for (const { id, first } of rows) {
      const held = this.#asked.get(id);
      if (first && held !== undefined) this.#held.push(held);
      this.#asked.delete(id);
    }
  };

  /** All of it is committed: what is held may be performed. */
  committed(): void {
    const unused = this.#places - this.#held.length;
    if (unused > 0) this.#hands?.free(unused);
    if (this.#held.length > 0) this.#hands?.hold(this.#held, this.#since);
  }

  /** Nothing was committed, or nobody knows. */
  failed(): void {
    if (this.#places > 0) this.#hands?.free(this.#places);
  }

  /** Lets go of what may have been committed all the same; nothing of it was begun. */
  async giveBack(client: PoolClient): Promise<void> {
    const all = [...this.#held, ...this.#asked.values()];
    if (all.length > 0) await this.#hands?.giveBack(client, all);
    // what followed an ended one was claimed by a statement whose answer is not known
    const keys = [...this.#ended.values()];
    if (keys.length > 0)
      await client.query(
        `update effects e set attempt = case when e.attempt = 1 then 0 else e.attempt end, lease_until = null
from unnest($2::uuid[], $3::text[]) as k(organization, order_key)
where e.lane = $1 and e.organization = k.organization and e.order_key = k.order_key and e.status = 'due' and e.lease_until = $4`,
        [this.#lane, keys.map(([place]) => place), keys.map(([, key]) => key), this.#until],
      );
  }

  #reserve(): boolean {
    if (this.#hands?.reserve() !== true) return false;
    this.#places += 1;
    return true;
  }
}
