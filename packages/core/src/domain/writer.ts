import type { Id, Instant } from "../model/common.ts";
import type { Conversation, ConversationRow } from "../model/conversation.ts";
import type { Customer, CustomerRow } from "../model/customer.ts";
import type { Change, LoggedTable } from "../model/event.ts";
import { namesOf } from "../model/json.ts";
import type { Message } from "../model/message.ts";
import type { Note } from "../model/note.ts";
import type { Watch } from "../model/watch.ts";
import { addressesByChannel } from "./conversation/channels.ts";
import { isOpen, isUnreplied } from "./derived.ts";
import { key, rowKey } from "./keys.ts";
import { type Presence, Reader } from "./reader.ts";
import { applyChange, changeOf, creationOf, type Row } from "./rows.ts";
import type { SettingsIndex } from "./settings-index.ts";
import type { Standing } from "./standing.ts";
import { claimAddresses, countLoads, listOpen, moveRuns, noteReply, setLatest } from "./upkeep.ts";

/** What the engine keeps beside a row that stands for itself no more. */
const unwatched: Watch = { wake_at: null, fired: {}, guards: null };

/** The logged fields of a row. */
function loggedOf<Row extends Watch>(row: Row): Omit<Row, keyof Watch | "id" | "created_at" | "updated_at"> {
  const {
    id: _id,
    created_at: _made,
    updated_at: _changed,
    wake_at: _wake,
    fired: _fired,
    guards: _guards,
    ...logged
  } = row as Row & { id: unknown; created_at: unknown; updated_at: unknown };
  return logged;
}

type NewFields<T> = Partial<Omit<T, "id" | "created_at" | "updated_at">>;

/**
 * What a decision may change of the nouns. Every change is applied at once, so that later parts of the decision see
 * earlier ones, and what follows from it is kept true (`upkeep.ts`); it comes back for the event that tells of it.
 */
export class Writer extends Reader {
  readonly at: Instant;
  readonly settings: SettingsIndex;
  /** customers whose conversations were counted anew, and whose state may follow */
  protected readonly counted = new Set<Id>();
  readonly #mint: () => Id;

  constructor({ ledger, settings, at, mint }: Pick<Standing, "ledger" | "settings" | "at" | "mint">) {
    super(ledger);
    this.at = at;
    this.settings = settings;
    this.#mint = mint;
  }

  newId(): Id {
    return this.#mint();
  }

  createCustomer(fields: NewFields<Customer>): { readonly row: CustomerRow; readonly changes: Change[] } {
    const id = this.newId();
    const change = this.#create("customers", id, fields);
    const row = this.ledger.get<CustomerRow>(key.customer(id)) as CustomerRow;
    claimAddresses(this.ledger, null, row);
    return { row, changes: [change] };
  }

  /** Changes a row as it stands now; `row` only says which. No change comes back when it already carries the patch. */
  changeCustomer(row: Pick<Customer, "id">, patch: Partial<Customer>): Change[] {
    const before = this.customer(row.id) as CustomerRow;
    const change = this.#update("customers", before, patch);
    if (change === null) return [];
    claimAddresses(this.ledger, before, this.customer(row.id) as CustomerRow);
    return [change];
  }

  /**
   * Lets one customer stand for another, which becomes `row`. No row moves: the source's conversations go on pointing at
   * it, and are counted and found under the target from here on (MILL law 13). What waits for it waits for the target.
   */
  mergeCustomer(source: CustomerRow, row: CustomerRow): Change[] {
    const channels = this.settings.all.channels.filter((channel) => channel.archived_at === null);
    for (const { id } of [source, row]) {
      this.ledger.expect([key.open(id), ...channels.map((channel) => key.latest(id, channel.id))], id);
    }
    const open = [...this.openConversations(row.id), ...this.openConversations(source.id)];
    this.ledger.set(key.open(row.id), open);
    for (const channel of channels) {
      const newest = this.latestConversation(source.id, channel.id);
      if (newest !== null) setLatest(this.ledger, row.id, channel.id, newest);
    }
    this.counted.add(row.id);
    moveRuns(this.ledger, { field: "customer", from: source.id, to: row.id });
    const none = { open_conversations: 0, unreplied_conversations: 0 };
    const changes = [
      // the source first: it lets go of the addresses that the target takes
      ...this.changeCustomer(source, { ...none, state: "closed", merged_into: row.id }),
      ...this.changeCustomer(row, loggedOf(row)),
    ];
    this.#watch("customers", source.id, unwatched);
    this.#watch("customers", row.id, row);
    return changes;
  }

  /** Lets one conversation stand for another, which becomes `row`; the source becomes `closed`. Messages stay where they are. */
  mergeConversation(source: ConversationRow, closed: Partial<Conversation>, row: ConversationRow): Change[] {
    moveRuns(this.ledger, { field: "conversation", from: source.id, to: row.id });
    const changes = [
      ...this.changeConversation(source, { ...closed, merged_into: row.id }),
      ...this.changeConversation(row, loggedOf(row)),
    ];
    this.#watch("conversations", source.id, unwatched);
    this.#watch("conversations", row.id, row);
    return changes;
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
    if (row.provider_id !== null) this.ledger.set(key.provider(row.channel, row.provider_id), { id });
    if (row.direction === "outbound") noteReply(this.ledger, row);
    return { row, changes };
  }

  changeMessage(row: Message, patch: Partial<Message>): Change[] {
    const change = this.#update("messages", this.message(row.id) as Message, patch);
    if (change !== null && patch.provider_id)
      this.ledger.set(key.provider(row.channel, patch.provider_id), { id: row.id });
    return change === null ? [] : [change];
  }

  createNote(fields: NewFields<Note> & Pick<Note, "customer">): { readonly row: Note; readonly changes: Change[] } {
    const id = this.newId();
    const changes = [this.#create("notes", id, fields)];
    return { row: this.note(id) as Note, changes };
  }

  changeNote(row: Note, patch: Partial<Note>): Change[] {
    const change = this.#update("notes", row, patch);
    return change === null ? [] : [change];
  }

  setPresence(user: Id, presence: Presence): void {
    this.ledger.set(key.presence(user), { user_id: user, ...presence });
  }

  /** Remembers who of a team got the last conversation in turn. */
  setTurn(team: Id, user: Id): void {
    this.ledger.set(key.turn(team), { team_id: team, user_id: user });
  }

  /** Notes an automated message to a customer, for the guard that counts them; kept on the customer, not logged. */
  noteAutomatedSend(customer: CustomerRow): void {
    const guards = customer.guards ?? { day: "", runs: {}, sends: [] };
    const sends = [...guards.sends, this.at].slice(-this.settings.organization.limits.automated_messages_per_hour);
    const row = this.customer(customer.id) as CustomerRow;
    this.ledger.set(key.customer(customer.id), { ...row, guards: { ...guards, sends } });
  }

  #create(table: LoggedTable, id: Id, fields: Row): Change {
    const change = creationOf(table, id, fields);
    this.ledger.create(rowKey[table](id), id, applyChange(null, change, this.at));
    return change;
  }

  #update(table: LoggedTable, row: { readonly id: Id }, patch: Row): Change | null {
    const change = changeOf(table, row, patch);
    if (change !== null) this.ledger.set(rowKey[table](row.id), applyChange(row, change, this.at));
    return change;
  }

  /** Puts what the engine keeps beside a row; it is not logged. */
  #watch(table: "customers" | "conversations", id: Id, { wake_at, fired, guards }: Watch): void {
    const row = this.ledger.get<object>(rowKey[table](id));
    this.ledger.set(rowKey[table](id), { ...row, wake_at, fired, guards });
  }

  /** Keeps true what follows from a conversation: where it is found, the customer's counts, the open list, the loads. */
  #follow(before: ConversationRow | null, after: ConversationRow, changes: Change[], counted: boolean): void {
    const opened = Number(isOpen(after)) - Number(before !== null && isOpen(before));
    const unreplied = Number(isUnreplied(after)) - Number(before !== null && isUnreplied(before));
    if (opened !== 0 || unreplied !== 0) {
      const customer = this.customerOf(after.customer) as CustomerRow;
      if (opened !== 0) listOpen(this.ledger, customer.id, after);
      if (!counted) this.#count(customer, opened, unreplied, changes);
    }
    countLoads(this.ledger, before, after);
    if (before === null) setLatest(this.ledger, after.customer, after.channel, after.id);
    else if (before.channel !== after.channel || before.other_channels !== after.other_channels) {
      const { id } = this.customerOf(after.customer) as CustomerRow;
      const held = addressesByChannel(before);
      for (const channel of namesOf(addressesByChannel(after)))
        if (!Object.hasOwn(held, channel)) setLatest(this.ledger, id, channel, after.id);
    }
  }

  #count(customer: CustomerRow, opened: number, unreplied: number, changes: Change[]): void {
    this.counted.add(customer.id);
    changes.push(
      ...this.changeCustomer(customer, {
        open_conversations: customer.open_conversations + opened,
        unreplied_conversations: customer.unreplied_conversations + unreplied,
      }),
    );
  }
}
