import type { Key } from "../domain/keys.ts";
import type { Ledger } from "../domain/ledger.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { ActiveWorkflows } from "../match/active.ts";
import type { Accepted, Command, Refusal } from "../model/command.ts";
import type { Id, Instant, Ref } from "../model/common.ts";
import type { Outcome } from "../model/effect.ts";
import type { Reason } from "../model/run.ts";
import type { Event, Refs } from "../model/event.ts";

/** What a lane works on. The shell stamps each with its own instant `at`; `process` never looks at a clock. */
export type Item =
  | {
      readonly kind: "command";
      readonly id: Id;
      /** the client's key: a repeat with the same is answered as the first */
      readonly key?: string;
      /** of what was asked with the key: a request with another is no repeat, and is refused */
      readonly fingerprint?: string;
      readonly at: Instant;
      readonly command: Command;
      /** its input did not fit: it is refused with this, and leaves a receipt like any other */
      readonly refusal?: Refusal;
    }
  | {
      readonly kind: "settled";
      readonly at: Instant;
      readonly effect: Id;
      readonly attempt: number;
      readonly outcome: Outcome;
    }
  | { readonly kind: "timer"; readonly at: Instant; readonly run: Id; readonly wait: number }
  | { readonly kind: "wake"; readonly at: Instant; readonly subject: Ref };

/** An organization's settings and enabled workflows at one `config_version`. */
export interface Config {
  readonly settings: SettingsIndex;
  readonly workflows: ActiveWorkflows;
}

/** Runs that were to start or to take their first step, and beyond a limit did neither: counted, and told in one event. */
export interface Withheld {
  readonly reason: Reason;
  readonly count: number;
  /** the first few of their workflows */
  readonly workflows: readonly Id[];
  /** where the first of them came from */
  readonly event: Id | null;
  readonly depth: number;
  readonly refs: Refs;
}

/** What remains of an item that a slice cut: item zero of the organization's next batch (MILL law 2). */
export interface Leftover {
  readonly root: string;
  readonly at: Instant;
  /** how many ids the root has minted */
  readonly minted: number;
  /** operations spent of the root's allowance; evaluating counts in parts of one */
  readonly spent: number;
  /** how many runs it started by matching; missing where an older process wrote it */
  readonly started?: number;
  readonly withheld?: Withheld | null;
  readonly reads: readonly Key[];
  /** runs that still have steps to take, first in, first out */
  readonly queue: readonly Id[];
}

/** What a command leaves so that its caller hears the same on every retry. */
export interface Receipt {
  readonly id: Id;
  readonly key: string | null;
  /** of what the key was used for */
  readonly fingerprint: string | null;
  readonly answer: Accepted | Refusal;
  readonly at: Instant;
}

export interface Reply {
  readonly command: Id;
  readonly answer: Accepted | Refusal;
  /** the answer of an earlier admission with the same key */
  readonly repeated: boolean;
  /** that admission's command, which is the root of what it set off */
  readonly first?: Id;
}

/** An item that cannot be carried because of a bug; it changed nothing and is kept for a person (MILL law 11). */
export interface Poisoned {
  readonly item: Item | null;
  readonly error: string;
}

export interface Output {
  /** how many items from the front are decided: that prefix can be committed */
  readonly done: number;
  readonly replies: readonly Reply[];
  readonly receipts: readonly Receipt[];
  readonly events: readonly Event[];
  /** changed rows by key; null deletes */
  readonly writes: ReadonlyMap<Key, unknown>;
  /** the world with this done: what the next call starts from where nothing is loaded again */
  readonly after: ReturnType<Ledger["after"]>;
  readonly leftover: Leftover | null;
  /** what the rest lacks; explored and thrown away */
  readonly needs: readonly Key[];
  /** timers and settled effects that came too late and moved nothing */
  readonly dropped: readonly Item[];
  readonly poisoned: readonly Poisoned[];
  /** operations used of the slice */
  readonly operations: number;
}
