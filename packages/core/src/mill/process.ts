import { type Key, rowTables } from "../domain/keys.ts";
import { Missing, type World } from "../domain/ledger.ts";
import type { Id } from "../model/common.ts";
import { Batch, type Root, type Save } from "./batch.ts";
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
  let { leftover } = world;
  let done = 0;
  /** where the first need came up: what follows counts no more, and is tried only to learn what else is lacking */
  let lacking: { readonly root: Root; readonly save: Save; readonly budget: number } | null = null;

  for (const work of leftover === null ? items : [leftover, ...items]) {
    const item = "kind" in work ? work : null;
    const cut = batch.budget <= 0 || (leftover !== null && lacking === null);
    if (item !== null && cut) break;
    const root = "kind" in work ? batch.root(rootOf(work), work.at) : batch.root(work.root, work.at, work);
    if (lacking === null) batch.ledger.keep();
    const save = batch.save(root);
    const { budget } = batch;
    let came = attempt(batch, root, save, () => {
      if (item !== null) decideItem(batch, root, item);
      return drive(batch, root);
    });
    // what is only explored is thrown away: it may have failed for what it lacked
    if ("fault" in came && lacking === null) came = poisoned(batch, root, save, item, came.fault);
    if ("needs" in came) {
      for (const name of came.needs) needs.add(name);
      lacking ??= { root, save, budget };
    }
    if (lacking !== null) continue;
    leftover = "quiet" in came && came.quiet ? null : remains(batch, root);
    if (item !== null) done += 1;
  }
  if (lacking !== null) batch.restore(lacking.root, lacking.save);
  return {
    done,
    replies: batch.replies,
    receipts: batch.receipts,
    events: batch.events,
    writes: batch.ledger.writes(stored),
    after: batch.ledger.after(),
    leftover,
    needs: [...needs],
    dropped: batch.dropped,
    poisoned: batch.poisoned,
    // what was only explored is done again when it is carried, and counts then, however often it took to learn its needs
    operations: slice - (lacking?.budget ?? batch.budget),
  };
}

/** What came of work on a root. Only where it got through is anything of it left in the batch. */
type Came = { readonly quiet: boolean } | { readonly needs: readonly Key[] } | { readonly fault: unknown };

function attempt(batch: Batch, root: Root, save: Save, act: () => boolean): Came {
  try {
    return { quiet: act() };
  } catch (error) {
    batch.restore(root, save);
    return error instanceof Missing ? { needs: error.keys } : { fault: error };
  }
}

/** Poisons an item that a bug keeps from being carried. Where not even that can be done, the shell looks for the item. */
function poisoned(batch: Batch, root: Root, save: Save, item: Item | null, fault: unknown): Came {
  const came = attempt(batch, root, save, () => {
    poison(batch, root, item, fault);
    return true;
  });
  if ("fault" in came) throw fault;
  return came;
}

function remains(batch: Batch, root: Root): Leftover {
  return {
    root: root.id,
    at: root.at,
    minted: root.minted,
    spent: root.spent,
    started: root.started,
    withheld: root.withheld,
    reads: [...batch.ledger.reads()],
    queue: [...root.queue],
  };
}
