import type { Json } from "../model/common.ts";
import { ConversationSchema } from "../model/conversation.ts";
import { CustomerSchema } from "../model/customer.ts";
import { membersOf, sameJson } from "../model/json.ts";
import { MessageSchema } from "../model/message.ts";

/** A field's value by name, such as a customer's properties. */
export type Members = { readonly [name: string]: Json };

const isMap = (schema: object): boolean => "patternProperties" in schema;

/** The fields of logged rows that hold values by name: of these a change carries only the members that changed. */
export const memberFields: readonly string[] = [
  ...new Set(
    [CustomerSchema, ConversationSchema, MessageSchema].flatMap(({ properties }) =>
      membersOf<object>(properties).flatMap(([name, schema]) => (isMap(schema) ? [name] : [])),
    ),
  ),
];
const known = new Set(memberFields);

/** Whether a field holds values by name. */
export const hasMembers = (field: string): boolean => known.has(field);

/** The members that differ, on both sides; one that stands on one side only was made, or taken away. */
export function changedMembers(from: Members, to: Members): { readonly before: Members; readonly after: Members } {
  return { before: without(from, to), after: without(to, from) };
}

/** The members of one that the other does not hold alike. */
function without(all: Members, other: Members): Members {
  const differs = ([name, value]: [string, Json]): boolean =>
    !Object.hasOwn(other, name) || !sameJson(other[name], value);
  return Object.fromEntries(membersOf(all).filter(differs));
}

/**
 * A field's members after a change. `after` is null where all were taken away and the change does not tell which, as
 * when they were erased.
 */
export function withChangedMembers(members: Members, before: Members | null, after: Members | null): Members {
  if (after === null) return {};
  const kept = membersOf(members).filter(([name]) => before === null || !Object.hasOwn(before, name));
  return { ...Object.fromEntries(kept), ...after };
}
