import { Type } from "typebox";
import { type Accepted, type Refusal, refuse } from "../../model/command.ts";
import { type Id, IdSchema } from "../../model/common.ts";
import type { Parked } from "../../model/parked.ts";
import type { Draft } from "../draft.ts";
import { key } from "../keys.ts";

/** What commands about an item that waits for a person have in common. */
export const aboutParked = {
  permission: "operations.write",
  target: null,
  action: false,
  events: [],
  input: Type.Object({ parked: IdSchema }, { additionalProperties: false }),
  needs: (input: { readonly parked: Id }) => [key.parked(input.parked)],
} as const;

/** Acts on an item that waits for a person, where there is one of that id. */
export function withParked(
  { parked }: { readonly parked: Id },
  draft: Draft,
  act: (row: Parked) => Accepted | Refusal,
): Accepted | Refusal {
  const row = draft.parked(parked);
  if (row !== null) return act(row);
  return refuse("not_found", "parked_not_found", "There is no such item that waits for a person", "/parked");
}

/** An item that nobody need look at any more. */
export function resolved(row: Parked, resolution: NonNullable<Parked["resolution"]>, { at, actor }: Draft): Parked {
  return { ...row, resolved_at: at, resolved_by: actor.kind === "user" ? actor.id : null, resolution };
}
