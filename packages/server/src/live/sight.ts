import {
  type Event,
  type Id,
  isEverywhere,
  nowhere,
  type Reach,
  type SettingsIndex,
  type Standpoint,
} from "@threadmill/core";
import type { Caller } from "../http/auth.ts";
import { callerMay } from "../http/rights.ts";
import { mayRead, reachOfCaller } from "../rights/reach.ts";

/** All that decides what somebody is told: those with the same sight are told the same. */
export interface Sight {
  readonly conversations: Reach;
  readonly customers: Reach;
  readonly settings: boolean;
  /** everybody's jobs, not only their own */
  readonly jobs: boolean;
  /** the same for all that are alike */
  readonly key: string;
}

/** What a caller may see now. */
export function sightOf(settings: SettingsIndex, caller: Pick<Caller, "actor" | "scopes">): Sight {
  const conversations = reachOfCaller(settings, caller, "conversations.read");
  const customers = reachOfCaller(settings, caller, "customers.read");
  const may = {
    settings: callerMay(settings, caller, "settings.read"),
    jobs: callerMay(settings, caller, "jobs.read"),
  };
  return { conversations, customers, ...may, key: JSON.stringify([conversations, customers, may]) };
}

/** Sees nothing: who is still to be looked at. */
export const blind: Sight = { conversations: nowhere, customers: nowhere, settings: false, jobs: false, key: "" };

/** Whether nothing has to be looked up to know what they see. */
export const seesAll = ({ conversations, customers }: Sight): boolean =>
  isEverywhere(conversations) && isEverywhere(customers);

/** What says who may see a customer: whose they are, and their conversations. */
export interface CustomerStandpoint {
  readonly assignee: Id | null;
  readonly teams: readonly Id[];
  readonly conversations: readonly Standpoint[];
}

/** Where the things stand that some events are about, as of now; what is not there is gone. */
export interface Standpoints {
  readonly conversations: ReadonlyMap<Id, Standpoint>;
  readonly customers: ReadonlyMap<Id, CustomerStandpoint>;
}

/** What somebody is to be told of an event: all of it, that a conversation is out of their sight now, or nothing. */
export type Telling = "all" | "gone" | "nothing";

/** What a reader is told of an event. `at`: where things stand; null where the reader sees all. */
export function tellingOf(sight: Sight, event: Event, at: Standpoints | null): Telling {
  const { conversation, customer, user } = event.refs;
  if (conversation !== undefined) {
    if (isEverywhere(sight.conversations)) return "all";
    const now = at?.conversations.get(conversation);
    if (now === undefined) return "nothing";
    if (mayRead(sight.conversations, now)) return "all";
    return mayRead(sight.conversations, before(event, conversation, now)) ? "gone" : "nothing";
  }
  if (customer !== undefined) {
    if (isEverywhere(sight.customers)) return "all";
    const now = at?.customers.get(customer);
    return now !== undefined && seesCustomer(sight.customers, now) ? "all" : "nothing";
  }
  if (user !== undefined) return "all";
  const may = event.type === "settings.changed" ? sight.settings : isEverywhere(sight.conversations);
  return may ? "all" : "nothing";
}

/** Whether a row that an event changed beside the one that it is about may be seen: a merge is of two conversations. */
export function seesRow(sight: Sight, event: Event, row: Event["changes"][number], at: Standpoints | null): boolean {
  if (row.table !== "conversations" || row.id === event.refs.conversation || isEverywhere(sight.conversations))
    return true;
  const now = at?.conversations.get(row.id);
  return now !== undefined && mayRead(sight.conversations, now);
}

/** Where a conversation stood before an event moved or gave it away. */
function before(event: Event, conversation: Id, now: Standpoint): Standpoint {
  const change = event.changes.find((each) => each.table === "conversations" && each.id === conversation);
  return { ...now, ...(change?.before as Partial<Standpoint> | null | undefined) };
}

/** The rule of `customersWithinReach`, for what is in memory. */
function seesCustomer(reach: Reach, { assignee, teams, conversations }: CustomerStandpoint): boolean {
  if (reach.user !== null && assignee === reach.user) return true;
  if (teams.some((team) => reach.teams.includes(team))) return true;
  if (conversations.length === 0) return reach.of === "all" && reach.mailboxes?.length !== 0;
  return conversations.some((each) => mayRead(reach, each));
}
