import type { Id, Instant, Json } from "../model/common.ts";
import type { Conversation, ConversationRow } from "../model/conversation.ts";
import type { Customer, CustomerRow, CustomerState } from "../model/customer.ts";
import type { Effect, EffectRow } from "../model/effect.ts";
import type { Actor, Cause, Change, Event, LoggedTable, Refs } from "../model/event.ts";
import type { Message } from "../model/message.ts";
import type { Run } from "../model/run.ts";
import type { EventType } from "./events.ts";
import type { CompiledVersion } from "../workflow/compiled.ts";
import { type Key, key } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { applyChange, changeOf, creationOf, type Row } from "./rows.ts";
import type { SettingsIndex } from "./settings-index.ts";

/** Where a decision stands: who asks, when, and what led to it. */
export interface Standing {
  readonly ledger: Ledger;
  readonly settings: SettingsIndex;
  readonly actor: Actor;
  readonly at: Instant;
  readonly root: string;
  readonly cause: Cause;
  readonly depth: number;
  /** the next id of this root */
  readonly mint: () => Id;
  /** the workflows that may be started by name */
  readonly workflows: WorkflowDirectory;
}

/** What a decision may know of workflows. */
export interface WorkflowDirectory {
  published(idOrSlug: string): CompiledVersion | null;
}

/** Whether a conversation still needs someone. */
export const isOpen = (row: Pick<Conversation, "status">): boolean =>
  row.status === "open" || row.status === "pending" || row.status === "snoozed";

const isUnreplied = (row: Conversation): boolean => row.waiting_since !== null && isOpen(row);

type NewFields<T> = Partial<Omit<T, "id" | "created_at" | "updated_at">>;

/**
 * One decision in the making. Reading goes through the ledger (and throws `Missing` for what is not loaded); every
 * change is applied at once, so later parts of the decision see earlier ones; the whole is taken back when the command
 * is refused. `decide` functions see nothing else of the world.
 */
export class Draft {
  readonly at: Instant;
  readonly actor: Actor;
  readonly settings: SettingsIndex;
  readonly events: Event[] = [];
  readonly effects: Effect[] = [];
  /** runs that this decision started; the mill takes their steps once it is quiet */
  readonly started: Id[] = [];
  readonly #standing: Standing;
  readonly #ledger: Ledger;
  readonly #customers = new Set<Id>();

  constructor(standing: Standing) {
    this.#standing = standing;
    this.#ledger = standing.ledger;
    this.at = standing.at;
    this.actor = standing.actor;
    this.settings = standing.settings;
  }

  // ---- reading

  customer(id: Id): CustomerRow | null {
    return this.#ledger.get<CustomerRow>(key.customer(id));
  }

  /** The customer that an id stands for: a merged one stands for the one it was merged into. */
  customerOf(id: Id): CustomerRow | null {
    let row = this.customer(id);
    while (row !== null && row.merged_into !== null) row = this.customer(row.merged_into);
    return row;
  }

  conversation(id: Id): ConversationRow | null {
    return this.#ledger.get<ConversationRow>(key.conversation(id));
  }

  /** The conversation that an id stands for: a merged one stands for the one it was merged into. */
  conversationOf(id: Id): ConversationRow | null {
    let row = this.conversation(id);
    while (row !== null && row.merged_into !== null) row = this.conversation(row.merged_into);
    return row;
  }

  message(id: Id): Message | null {
    return this.#ledger.get<Message>(key.message(id));
  }

  run(id: Id): Run | null {
    return this.#ledger.get<Run>(key.run(id));
  }

  /** Who has an address, as a customer's id. */
  ownerOf(kind: string, address: string): Id | null {
    return this.#ledger.get<{ readonly customer: Id }>(key.address(kind, address))?.customer ?? null;
  }

  /** The customer's newest conversation on a channel, by id. */
  latestConversation(customer: Id, channel: Id): Id | null {
    return this.#ledger.view<{ readonly id: Id }>(key.latest(customer, channel), customer)?.id ?? null;
  }

  /** The customer's conversations that are open, pending or snoozed, by id: the order must not depend on the batch. */
  openConversations(customer: Id): readonly Id[] {
    return [...this.#ledger.list(key.open(customer), customer)].sort();
  }

  /** The message that a channel's provider knows by this id. */
  messageByProvider(channel: Id, providerId: string): Id | null {
    return this.#ledger.get<{ readonly id: Id }>(key.provider(channel, providerId))?.id ?? null;
  }

  /** How many open conversations a user holds. */
  load(user: Id): number {
    return this.#ledger.get<{ readonly open: number }>(key.load(user))?.open ?? 0;
  }

  presence(user: Id): { readonly status: string; readonly since: Instant } | null {
    return this.#ledger.get<{ readonly status: string; readonly since: Instant }>(key.presence(user));
  }

  /** Asks for many things at once, before they are read one by one. */
  expect(keys: readonly Key[]): void {
    this.#ledger.expect(keys);
  }

  // ---- changing

  newId(): Id {
    return this.#standing.mint();
  }

  createCustomer(fields: NewFields<Customer>): { readonly row: CustomerRow; readonly changes: Change[] } {
    const id = this.newId();
    const change = this.#create("customers", id, fields);
    const row = this.#ledger.get<CustomerRow>(key.customer(id)) as CustomerRow;
    this.#claimAddresses(null, row);
    return { row, changes: [change] };
  }

  /** Changes a row as it stands now; `row` only says which. No change comes back when it already carries the patch. */
  changeCustomer(row: Pick<Customer, "id">, patch: Partial<Customer>): Change[] {
    const before = this.customer(row.id) as CustomerRow;
    const change = this.#update("customers", before, patch);
    if (change === null) return [];
    this.#claimAddresses(before, this.customer(row.id) as CustomerRow);
    return [change];
  }

  /**
   * Lets one customer stand for another. No row moves: the source's conversations go on pointing at it, and are counted
   * and found under the target from here on (MILL law 13).
   */
  mergeCustomer(source: CustomerRow, target: CustomerRow, patch: Partial<Customer>): Change[] {
    const channels = this.settings.all.channels.filter((channel) => channel.archived_at === null);
    for (const { id } of [source, target]) {
      this.#ledger.expect([key.open(id), ...channels.map((channel) => key.latest(id, channel.id))], id);
    }
    const open = [...this.openConversations(target.id), ...this.openConversations(source.id)];
    this.#ledger.set(key.open(target.id), open);
    for (const channel of channels) {
      const newest = this.latestConversation(source.id, channel.id);
      if (newest !== null) this.#setLatest(target.id, channel.id, newest);
    }
    this.#customers.add(target.id);
    const none = { open_conversations: 0, unreplied_conversations: 0 };
    return [
      // the source first: it lets go of the addresses that the target takes
      ...this.changeCustomer(source, { ...none, state: "closed", merged_into: target.id }),
      ...this.changeCustomer(target, {
        ...patch,
        open_conversations: target.open_conversations + source.open_conversations,
        unreplied_conversations: target.unreplied_conversations + source.unreplied_conversations,
      }),
    ];
  }

  /**
   * Starts a conversation. `counted`: its customer was made in the same decision and already counts it, which saves a
   * second change of that row.
   */
  createConversation(
    fields: NewFields<Conversation> & Pick<Conversation, "customer" | "mailbox" | "channel" | "address">,
    options: { readonly counted?: boolean } = {},
  ): { readonly row: ConversationRow; readonly changes: Change[] } {
    const id = this.newId();
    const changes = [this.#create("conversations", id, fields)];
    const row = this.conversation(id) as ConversationRow;
    this.#setLatest(row.customer, row.channel, id);
    this.#follow(null, row, changes, options.counted === true);
    return { row, changes };
  }

  changeConversation(row: Pick<Conversation, "id">, patch: Partial<Conversation>): Change[] {
    const before = this.conversation(row.id) as ConversationRow;
    const change = this.#update("conversations", before, patch);
    if (change === null) return [];
    const changes = [change];
    this.#follow(before, this.conversation(row.id) as ConversationRow, changes, false);
    return changes;
  }

  createMessage(fields: NewFields<Message> & Pick<Message, "conversation" | "customer" | "channel" | "direction">): {
    readonly row: Message;
    readonly changes: Change[];
  } {
    const id = this.newId();
    const changes = [this.#create("messages", id, fields)];
    const row = this.message(id) as Message;
    if (row.provider_id !== null) this.#ledger.set(key.provider(row.channel, row.provider_id), { id });
    return { row, changes };
  }

  changeMessage(row: Message, patch: Partial<Message>): Change[] {
    const change = this.#update("messages", this.message(row.id) as Message, patch);
    if (change !== null && patch.provider_id)
      this.#ledger.set(key.provider(row.channel, patch.provider_id), { id: row.id });
    return change === null ? [] : [change];
  }

  setPresence(user: Id, status: string): void {
    this.#ledger.set(key.presence(user), { user_id: user, status, since: this.at });
  }

  /** Notes an automated message to a customer, for the guard that counts them; kept on the customer, not logged. */
  noteAutomatedSend(customer: CustomerRow): void {
    const guards = customer.guards ?? { day: "", runs: {}, sends: [] };
    const sends = [...guards.sends, this.at].slice(-this.settings.organization.limits.automated_messages_per_hour);
    const row = this.customer(customer.id) as CustomerRow;
    this.#ledger.set(key.customer(customer.id), { ...row, guards: { ...guards, sends } });
  }

  /** The published version of a workflow, for starting it by name. */
  workflow(idOrSlug: string): CompiledVersion | null {
    return this.#standing.workflows.published(idOrSlug);
  }

  /** Queues a run; it takes its steps after the decision. */
  startRun(run: Run): void {
    this.#ledger.create(key.run(run.id), run.id, run);
    this.started.push(run.id);
  }

  /** Puts a run that was ended from outside; its timer goes with it. */
  endRun(run: Run): void {
    this.#ledger.set(key.run(run.id), run);
    this.#ledger.set(key.timer(run.id), null);
    this.#ledger.updateList(key.waiting(run.subject), run.subject, (list) => list.filter((id) => id !== run.id));
  }

  /** What a run started by this decision is to know of where it comes from. */
  get origin(): { readonly root: string; readonly depth: number } {
    return this.#standing;
  }

  /** Leaves an event behind; none when nothing changed and there is no `data` to tell. Returns its id. */
  emit(type: EventType, refs: Refs, changes: readonly Change[], data?: { readonly [name: string]: Json }): Id | null {
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

  /** An effect that is not done. */
  effectRow(id: Id): EffectRow | null {
    return this.#ledger.get<EffectRow>(key.effect(id));
  }

  putEffect(row: EffectRow): void {
    this.#ledger.set(key.effect(row.id), row);
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
    this.#ledger.create(key.effect(id), id, { ...effect, status: "due", lease_until: null, last_error: null });
    return id;
  }

  /** Ends the decision: tells of the customers whose state followed from what was changed. */
  finish(): void {
    for (const id of this.#customers) {
      const row = this.customer(id) as CustomerRow;
      const state = stateOf(row);
      if (state === row.state) continue;
      this.emit("customer.state_changed", { customer: id }, this.changeCustomer(row, { state }));
    }
  }

  #create(table: LoggedTable, id: Id, fields: Row): Change {
    const change = creationOf(table, id, fields);
    this.#ledger.create(`${table}/${id}`, id, applyChange(null, change, this.at));
    return change;
  }

  #update(table: LoggedTable, row: { readonly id: Id }, patch: Row): Change | null {
    const change = changeOf(table, row, patch);
    if (change !== null) this.#ledger.set(`${table}/${row.id}`, applyChange(row, change, this.at));
    return change;
  }

  /** Keeps true what follows from a conversation: the customer's counts, the open list and the assignees' loads. */
  #follow(before: ConversationRow | null, after: ConversationRow, changes: Change[], counted: boolean): void {
    const opened = Number(isOpen(after)) - Number(before !== null && isOpen(before));
    const unreplied = Number(isUnreplied(after)) - Number(before !== null && isUnreplied(before));
    if (opened !== 0 || unreplied !== 0) {
      const customer = this.customerOf(after.customer) as CustomerRow;
      if (opened > 0) this.#ledger.updateList(key.open(customer.id), customer.id, (list) => [...list, after.id]);
      if (opened < 0)
        this.#ledger.updateList(key.open(customer.id), customer.id, (list) => list.filter((id) => id !== after.id));
      if (!counted) this.#count(customer, opened, unreplied, changes);
    }
    const held = before !== null && isOpen(before) ? before.assignee : null;
    const holds = isOpen(after) ? after.assignee : null;
    if (held === holds) return;
    if (held !== null) this.#addLoad(held, -1);
    if (holds !== null) this.#addLoad(holds, 1);
  }

  #count(customer: CustomerRow, opened: number, unreplied: number, changes: Change[]): void {
    this.#customers.add(customer.id);
    changes.push(
      ...this.changeCustomer(customer, {
        open_conversations: customer.open_conversations + opened,
        unreplied_conversations: customer.unreplied_conversations + unreplied,
      }),
    );
  }

  /** The newest is the one with the greatest id, in a batch as in the table. */
  #setLatest(customer: Id, channel: Id, id: Id): void {
    const newest = this.latestConversation(customer, channel);
    if (newest === null || newest < id) this.#ledger.set(key.latest(customer, channel), { id });
  }

  #addLoad(user: Id, by: number): void {
    this.#ledger.set(key.load(user), { user_id: user, open: this.load(user) + by });
  }

  /** Moves the addresses under which a customer is found. */
  #claimAddresses(before: CustomerRow | null, after: CustomerRow): void {
    const had = before === null ? [] : addressesOf(before);
    const has = addressesOf(after);
    for (const name of had) if (!has.includes(name)) this.#ledger.set(name, null);
    for (const name of has) if (!had.includes(name)) this.#ledger.set(name, { customer: after.id });
  }
}

/** The state that a customer's counts stand for. */
export function stateOf(counts: Pick<Customer, "open_conversations" | "unreplied_conversations">): CustomerState {
  if (counts.open_conversations === 0) return "closed";
  return counts.unreplied_conversations > 0 ? "unreplied" : "replied";
}

/** The keys under which a customer is found by address. A customer that was merged or erased has none. */
export function addressesOf(customer: Customer): string[] {
  if (customer.merged_into !== null || customer.erased_at !== null) return [];
  const found: string[] = [];
  if (customer.phone !== null) found.push(key.address("phone", customer.phone));
  if (customer.email !== null) found.push(key.address("email", customer.email));
  if (customer.external_id !== null) found.push(key.address("external", customer.external_id));
  for (const handle of customer.handles) found.push(`addresses/${handle}`);
  return found;
}
