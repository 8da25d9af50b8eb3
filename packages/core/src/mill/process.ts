import { type Key, rowTables } from "../domain/keys.ts";
import { Missing, type World } from "../domain/ledger.ts";
import type { Id } from "../model/common.ts";
import { Batch, type Root } from "./batch.ts";
import { drive } from "./drive.ts";
import { decideItem, rootOf } from "./item.ts";
import { poison } from "./poison.ts";
import type { Config, Item, Leftover, Output } from "./types.ts";

const stored = new Set<string>(rowTables);

/**
 * The mill: a pure fold over items. Each is decided and driven to quiet before the next; the slice may cut that at any
 * operation, and what remains is one left-over. Same items, world and config: same output, byte for byte; and splitting
 * the items over several calls changes nothing (MILL.md).
 *
 * `slice` is a number of operations, never of milliseconds. What the world lacks comes back as `needs`; the prefix that
 * was decided without them (`done`) can always be committed.
 */
export function process(
  organization: Id,
  items: readonly Item[],
  world: World & { readonly leftover: Leftover | null },
  config: Config,
  slice: number,
): Output {
  const batch = new Batch(organization, world, config, slice);
  const needs = new Set<Key>();
  let leftover: Leftover | null = world.leftover;
  let done = 0;
  /** after the first need nothing counts any more; the rest is tried only to learn what else is lacking */
  let exploring: { readonly undo: () => void } | null = null;

  const attempt = (root: Root, item: Item | null, act: () => boolean): boolean => {
    const save = batch.save(root);
    const tryTo = (what: () => boolean, otherwise: (error: unknown) => boolean): boolean => {
      try {
        return what();
      } catch (error) {
        batch.restore(root, save);
        if (!(error instanceof Missing)) return otherwise(error);
        for (const name of error.keys) needs.add(name);
        exploring ??= { undo: () => batch.restore(root, save) };
        return true;
      }
    };
    return tryTo(act, (error) =>
      tryTo(
        () => {
          // what is only explored is thrown away: it may have failed for what it lacked
          if (exploring === null) poison(batch, root, item, error);
          return true;
        },
        // not even that: the shell looks for the item that makes the call fail (DESIGN section 4)
        () => {
          throw error;
        },
      ),
    );
  };

  if (leftover !== null) {
    const root = batch.root(leftover.root, leftover.at, leftover);
    const quiet = attempt(root, null, () => drive(batch, root));
    if (exploring === null) leftover = quiet ? null : remains(batch, root);
  }
  for (const item of items) {
    if (batch.budget <= 0 || (leftover !== null && exploring === null)) break;
    const root = batch.root(rootOf(item), item.at);
    const quiet = attempt(root, item, () => {
      decideItem(batch, root, item);
      return drive(batch, root);
    });
    if (exploring !== null) continue;
    done += 1;
    if (!quiet) leftover = remains(batch, root);
  }
  (exploring as { readonly undo: () => void } | null)?.undo();
  return {
    done,
    replies: batch.replies,
    receipts: batch.receipts,
    events: batch.events,
    writes: batch.ledger.writes(stored),
    leftover,
    needs: [...needs],
    dropped: batch.dropped,
    poisoned: batch.poisoned,
    operations: slice - batch.budget,
  };
}

function remains(batch: Batch, root: Root): Leftover {
  return {
    root: root.id,
    at: root.at,
    minted: root.minted,
    spent: root.spent,
    reads: [...batch.ledger.reads()],
    queue: root.queue,
  };
}
