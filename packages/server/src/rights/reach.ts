import {
  type Actor,
  isEverywhere,
  nowhere,
  type Permission,
  type Reach,
  reaches,
  type SettingsIndex,
} from "@threadmill/core";
import type { RawBuilder } from "kysely";
import type { Caller } from "../http/auth.ts";
import type { Call } from "../http/route.ts";
import { asExpression, asText, type Clause, value } from "./clause.ts";

export type { Reach } from "@threadmill/core";

/**
 * What the caller of a request may read of conversations, messages and customers, or whatever else the permission is
 * for. Everything that shows, counts, finds, exports or tells of them passes through what is made of it here.
 */
export const reachOf = async (
  call: Pick<Call, "caller" | "settings">,
  permission: Permission = "conversations.read",
): Promise<Reach> => reachOfCaller(await call.settings(), call.caller, permission);

/** The same with the settings at hand: for whoever stays connected while they change. */
export const reachOfCaller = (
  settings: SettingsIndex,
  { actor, scopes }: Pick<Caller, "actor" | "scopes">,
  permission: Permission = "conversations.read",
): Reach => (scopes === null || scopes.has(permission) ? reachIn(settings, actor, permission) : nowhere);

/** The same for a user who does not ask now, such as one who is to be notified. */
export const reachIn = (settings: SettingsIndex, actor: Actor, permission: Permission = "conversations.read"): Reach =>
  settings.reach(actor, permission) ?? nowhere;

/** Whether a conversation may be read, for what is in memory: live updates, notifications. */
export const mayRead: typeof reaches = reaches;

/**
 * Keeps a query over conversations within a reach; `table` is their name or alias in it. Plain comparisons of columns,
 * for indexes, and for an unrestricted reach `true`, which costs nothing.
 */
export const withinReach = (reach: Reach, table = "conversations"): RawBuilder<boolean> =>
  asExpression(conversationClause(reach, table));

/** The same for a statement that is text: " and ..." with its values pushed on the list, "" for an unrestricted reach. */
export const withinReachText = (reach: Reach, values: unknown[], table = "conversations"): string =>
  andText(reach, conversationClause(reach, table), values);

/**
 * Keeps a query over customers within a reach: those with a conversation in it, those who are assigned to the user or
 * one of the user's teams, and, for who may read all of a mailbox, those who have not written anywhere yet.
 */
export const customersWithinReach = (reach: Reach, table = "customers"): RawBuilder<boolean> =>
  asExpression(customerClause(reach, table));

/** The same for a statement that is text. */
export const customersWithinReachText = (reach: Reach, values: unknown[], table = "customers"): string =>
  andText(reach, customerClause(reach, table), values);

/**
 * Keeps rows of something that belongs to a conversation, such as messages and runs, within a reach. `column` is where
 * they name it, with the table before it; the table has `lane` and `organization`.
 */
export const conversationWithinReach = (reach: Reach, column: `${string}.${string}`): RawBuilder<boolean> =>
  asExpression(belongingClause(reach, column));

/** The same for a statement that is text. */
export const conversationWithinReachText = (reach: Reach, values: unknown[], column: `${string}.${string}`): string =>
  andText(reach, belongingClause(reach, column), values);

/**
 * Keeps a statement over live or finished runs, called `run` in it, within a reach: by the conversation that they are
 * about, or else by their customer. Runs about neither are for who may read everything.
 */
export function runWithinReachText(reach: Reach, values: unknown[]): string {
  if (isEverywhere(reach)) return "";
  const customer: Clause = [
    `run.conversation is null and exists (select 1 from customers subject where ${placed("subject", "run")} and subject.id = run.customer and `,
    ...customerClause(reach, "subject"),
    ")",
  ];
  return ` and ${asText(["(", ...belongingClause(reach, "run.conversation"), " or ", ...customer, ")"], values)}`;
}

const andText = (reach: Reach, clause: Clause, values: unknown[]): string =>
  isEverywhere(reach) ? "" : ` and ${asText(clause, values)}`;

/** The condition that a conversation is within a reach. */
export function conversationClause({ mailboxes, of, user, teams }: Reach, table: string): Clause {
  const parts: Clause[] = [];
  if (mailboxes !== null) parts.push([`${table}.mailbox = any(`, ...value(mailboxes, "uuid[]"), ")"]);
  if (of === "teams" && teams.length > 0) {
    parts.push([
      `(${table}.team = any(`,
      ...value(teams, "uuid[]"),
      `) or ${table}.assignee = `,
      ...value(user, "uuid"),
      ")",
    ]);
  } else if (of !== "all") parts.push([`${table}.assignee = `, ...value(user, "uuid")]);
  return joined(parts, " and ");
}

function belongingClause(reach: Reach, column: string): Clause {
  if (isEverywhere(reach)) return ["true"];
  const [table] = column.split(".", 1) as [string];
  return [
    `exists (select 1 from conversations reached where ${placed("reached", table)} and reached.id = ${column} and `,
    ...conversationClause(reach, "reached"),
    ")",
  ];
}

function customerClause(reach: Reach, table: string): Clause {
  if (isEverywhere(reach)) return ["true"];
  const { user, teams, of } = reach;
  const from = `select 1 from conversations reached where ${placed("reached", table)} and reached.customer = ${table}.id`;
  const parts: Clause[] = [[`exists (${from} and `, ...conversationClause(reach, "reached"), ")"]];
  // a merge moves no conversations: those of whom the customer stands for are under their own ids
  parts.push([
    `exists (with recursive family(id) as (select id from customers merged where ${placed("merged", table)} and merged.merged_into = ${table}.id
  union all select further.id from family join customers further on ${placed("further", table)} and further.merged_into = family.id)
  select 1 from family join conversations reached on ${placed("reached", table)} and reached.customer = family.id and `,
    ...conversationClause(reach, "reached"),
    ")",
  ]);
  if (user !== null) parts.push([`${table}.assignee = `, ...value(user, "uuid")]);
  if (of !== "own" && teams.length > 0) parts.push([`${table}.teams && `, ...value(teams, "uuid[]")]);
  if (of === "all" && reach.mailboxes?.length !== 0) parts.push([`not exists (${from})`]);
  return ["(", ...joined(parts, " or "), ")"];
}

const placed = (inner: string, outer: string): string =>
  `${inner}.lane = ${outer}.lane and ${inner}.organization = ${outer}.organization`;

/** Clauses in a row; nothing to ask for is true. */
const joined = (parts: readonly Clause[], between: string): Clause =>
  parts.length === 0 ? ["true"] : parts.flatMap((part, n) => (n === 0 ? part : [between, ...part]));
