import type { Instant, Json } from "../model/common.ts";
import { conversationDefaults } from "../model/conversation.ts";
import { customerDefaults } from "../model/customer.ts";
import type { Change, LoggedTable } from "../model/event.ts";
import { sameJson } from "../model/json.ts";
import { messageDefaults } from "../model/message.ts";

/** A logged row as the pure core handles it: fields by name. */
export type Row = { readonly [field: string]: unknown };

/** What a field holds when an event that created its row does not mention it. */
export const rowDefaults: Record<LoggedTable, Row> = {
  customers: customerDefaults,
  conversations: conversationDefaults,
  messages: messageDefaults,
};

/**
 * The row after one change: the only place where a logged row comes to be. `apply` folds the log with it and `decide`
 * builds its own world with it, so the two cannot drift.
 */
export function applyChange(row: Row | null, change: Change, at: Instant): Row {
  if (change.before === null) {
    return { ...rowDefaults[change.table], id: change.id, ...change.after, created_at: at, updated_at: at };
  }
  return { ...row, ...change.after, updated_at: at };
}

/** The change that makes `row` carry `patch`, or null when it already does. */
export function changeOf(table: LoggedTable, row: Row & { readonly id: string }, patch: Row): Change | null {
  let before: Record<string, Json> | null = null;
  let after: Record<string, Json> | null = null;
  for (const field in patch) {
    const value = patch[field];
    if (value === undefined || sameJson(row[field], value)) continue;
    before ??= {};
    after ??= {};
    before[field] = row[field] as Json;
    after[field] = value as Json;
  }
  return before === null || after === null ? null : { table, id: row.id, before, after };
}

/** The change that creates a row: every field that differs from its default. */
export function creationOf(table: LoggedTable, id: string, fields: Row): Change {
  const defaults = rowDefaults[table];
  const after: Record<string, Json> = {};
  for (const field in fields) {
    const value = fields[field];
    if (value !== undefined && !(field in defaults && sameJson(defaults[field], value))) after[field] = value as Json;
  }
  return { table, id, before: null, after };
}
