import { type Admitted, batchLimits, type Settlement, type Taken } from "./admission.ts";
import type { HeadLimits } from "./head.ts";
import { type DueKind, dueKinds } from "./park.ts";

/** What a batch is to carry: callers' work, and how much of what is due. */
export interface Portion {
  readonly taken: Taken;
  readonly heads: HeadLimits;
}

/** The one thing of a portion that cannot be made smaller. */
export type Single =
  | { readonly kind: "command"; readonly command: Admitted }
  | { readonly kind: "settlement"; readonly settlement: Settlement }
  | { readonly kind: "due"; readonly due: DueKind };

/** What becomes of a portion that no batch can carry whole. */
export type Division =
  | { readonly single: null; readonly parts: readonly Portion[]; readonly dueRemains: boolean }
  | { readonly single: Single };

const noHeads: HeadLimits = { leftovers: 0, timers: 0, conversations: 0, customers: 0 };
const nobody: Taken = { admitted: [], settlements: [] };

/** A whole batch of what the queue gave. */
export const wholePortion = (taken: Taken): Portion => ({ taken, heads: batchLimits });

const divided = (...parts: Portion[]): Division => ({ single: null, parts, dueRemains: false });
const callers = (admitted: readonly Admitted[], settlements: readonly Settlement[]): Portion => ({
  taken: { admitted, settlements },
  heads: noHeads,
});
const due = (kind: DueKind, count: number): Portion => ({ taken: nobody, heads: { ...noHeads, [kind]: count } });

/**
 * Divides a portion in which there is poison, so that in the end the poisonous item stands alone. The parts are to be
 * carried in their order. What is due comes first and apart from the callers' commands: a command must not be blamed for
 * a left-over. What is due is taken in order, so of one kind only the first half is tried; the next batches see to the
 * rest (`dueRemains`).
 */
export function divide({ taken: { admitted, settlements }, heads }: Portion): Division {
  const kinds = dueKinds.filter((kind) => heads[kind] > 0);
  const asked = admitted.length + settlements.length;
  if (kinds.length > 0 && asked > 0) return divided({ taken: nobody, heads }, callers(admitted, settlements));
  if (kinds.length > 1) return divided(...kinds.map((kind) => due(kind, heads[kind])));
  const [kind] = kinds;
  if (kind !== undefined) {
    if (heads[kind] === 1) return { single: { kind: "due", due: kind } };
    return { single: null, parts: [due(kind, Math.ceil(heads[kind] / 2))], dueRemains: true };
  }
  if (admitted.length > 0 && settlements.length > 0) return divided(callers(admitted, []), callers([], settlements));
  if (asked > 1) {
    const a = Math.ceil(admitted.length / 2);
    const s = Math.ceil(settlements.length / 2);
    return divided(
      callers(admitted.slice(0, a), settlements.slice(0, s)),
      callers(admitted.slice(a), settlements.slice(s)),
    );
  }
  const [command] = admitted;
  if (command !== undefined) return { single: { kind: "command", command } };
  const [settlement] = settlements;
  return settlement === undefined ? divided() : { single: { kind: "settlement", settlement } };
}
