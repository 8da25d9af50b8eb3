import type { Instant, Json } from "../model/common.ts";
import { conversationDefaults } from "../model/conversation.ts";
import { customerDefaults } from "../model/customer.ts";
import type { Change, LoggedTable } from "../model/event.ts";
import { sameJson } from "../model/json.ts";
import { messageDefaults } from "../model/message.ts";
import { noteDefaults } from "../model/note.ts";
import { changedMembers, hasMembers, memberFields, type Members, withChangedMembers } from "./members.ts";

/** A logged row as the pure core handles it: fields by name. */
export type Row = { readonly [field: string]: unknown };

/** What a field holds when an event that created its row does not mention it. */
export const rowDefaults: Record<LoggedTable, Row> = {
  customers: customerDefaults,
  conversations: conversationDefaults,
  messages: messageDefaults,
  notes: noteDefaults,
};

/**
 * The row after one change: the only place where a logged row comes to be. `apply` folds the log with it and `decide`
 * builds its own world with it, so the two cannot drift.
 */
export function applyChange(row: Row | null, change: Change, at: Instant): Row {
  if (change.before === null) {
    const made = { ...rowDefaults[change.table], id: change.id, ...change.after, created_at: at, updated_at: at };
    return foldMembers(null, change, made);
  }
  return foldMembers(row, change, { ...row, ...change.after, updated_at: at });
}

/** Of fields that hold values by name the change tells a part only. */
function foldMembers(row: Row | null, { before, after }: Change, next: Record<string, unknown>): Row {
  for (const field of memberFields) {
    const given = after[field];
    if (given === undefined) continue;
    const held = (row?.[field] ?? {}) as Members;
    next[field] = withChangedMembers(held, (before?.[field] ?? null) as Members | null, given as Members | null);
  }
  return next;
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
    if (hasMembers(field)) {
      const differ = changedMembers(row[field] as Members, value as Members);
      before[field] = differ.before;
      after[field] = differ.after;
    } else {
      before[field] = row[field] as Json;
      after[field] = value as Json;
    }
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
