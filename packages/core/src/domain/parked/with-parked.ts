import { type Refusal, refuse } from "../../model/command.ts";
import type { Parked } from "../../model/parked.ts";
import type { Draft } from "../draft.ts";

export const parkedNotFound = (): Refusal =>
  refuse("not_found", "parked_not_found", "There is no such item that waits for a person", "/parked");

/** An item that nobody need look at any more. */
export function resolved(row: Parked, resolution: NonNullable<Parked["resolution"]>, { at, actor }: Draft): Parked {
  return { ...row, resolved_at: at, resolved_by: actor.kind === "user" ? actor.id : null, resolution };
}
