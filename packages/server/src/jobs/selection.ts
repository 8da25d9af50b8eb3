import { IdSchema } from "@threadmill/core";
import { type Static, Type } from "typebox";
import type { JobPlan } from "./kind.ts";

/** Which things a job is about: those that somebody ticked. */
export const SelectionSchema = Type.Object(
  { ids: Type.Array(IdSchema, { minItems: 1, maxItems: 10_000, uniqueItems: true }) },
  { additionalProperties: false, title: "Selection" },
);
export type Selection = Static<typeof SelectionSchema>;

/** The things of one slice. */
export interface SelectedSlice {
  readonly ids: readonly string[];
}

/** The next things of a selection; the cursor counts those that lie behind. */
export function nextOfSelection(
  { ids }: Selection,
  sliceItems: number,
  cursor: number | null,
): JobPlan<number, SelectedSlice> | null {
  const from = cursor ?? 0;
  const some = ids.slice(from, from + sliceItems);
  return some.length === 0 ? null : { plan: { ids: some }, cursor: from + some.length };
}

/** How many things a selection holds. */
export const sizeOfSelection = async ({ ids }: Selection): Promise<number> => ids.length;
