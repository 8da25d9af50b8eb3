import type { Actor, Command, Json, Permission, Refusal, SettingsIndex } from "@threadmill/core";
import type { Kysely } from "kysely";
import type { Pool, PoolClient } from "pg";
import type { Static, TObject } from "typebox";
import type { Tables } from "../features/tables.ts";
import type { Place } from "../lanes/port.ts";
import type { JobFiles } from "./files.ts";

/** What a kind works with, in whatever slice. Nothing of it outlives the slice. */
export interface JobContext<P = unknown> {
  readonly id: string;
  readonly place: Place;
  readonly parameters: P;
  /** who asked; its rights are those of now */
  readonly actor: Actor;
  /** the instant of asking: what came to be later is not meant */
  readonly askedAt: string;
  readonly settings: SettingsIndex;
  /** about how many things a slice is to be of */
  readonly sliceItems: number;
  /** for reading alone */
  readonly pool: Pool;
  readonly db: Kysely<Tables>;
  readonly files: JobFiles;
}

/** One thing of a slice that a command does. */
export interface JobItem {
  /** names it within the job, for ever: the command's key is made of it */
  readonly item: string;
  readonly command: Pick<Command, "type" | "input">;
  /** what is shown beside a refusal, where no row of ours holds it */
  readonly detail?: Json;
}

/** One thing that was not done. */
export interface ItemRefused {
  readonly item: string;
  readonly code: string;
  readonly message: string;
  readonly path?: string | undefined;
  readonly detail?: Json | undefined;
}

/** What a planned slice is to do. All of it follows from the plan alone, or a repeat would do something else. */
export interface JobWork {
  readonly items: readonly JobItem[];
  /** things that no command is needed to refuse */
  readonly refused?: readonly ItemRefused[];
  /** how many were done without a command */
  readonly done?: number;
  /** Writes in the transaction that moves the cursor, so that it is done once. */
  readonly write?: (tx: PoolClient) => Promise<void>;
}

/** What comes behind a cursor: a plan that is kept until the slice is done, and the cursor behind it. */
export interface JobPlan<C, S> {
  readonly plan: S;
  readonly cursor: C;
  /** how many things there are in all, where that is known only now */
  readonly total?: number;
}

/**
 * A kind of work on many things (DESIGN section 14). A slice is planned, the plan is kept, its commands are submitted, and
 * the cursor moves behind it: whatever is killed in between, each command is done once, for a repeat finds its receipt.
 */
export interface JobKind<P = unknown, C = unknown, S = unknown> {
  /** as `customers.import`; never changes */
  readonly name: string;
  /** one sentence for the reference */
  readonly summary: string;
  /** the right to ask for it, asked again at every slice */
  readonly permission: Permission;
  readonly parameters: TObject;
  /** whether anybody may ask for it over HTTP by its parameters; others have a route of their own, or none */
  readonly open: boolean;
  /** of how many refusals the reasons are kept; the rest is only counted. Default 10,000 */
  readonly refusalsKept?: number;
  /** Why it cannot be done as asked; null when it can. Brings nothing about. */
  readonly problem?: (context: JobContext<P>) => Promise<Refusal | null>;
  /** How many things it is about, as far as that can be told before; null when it cannot. */
  readonly total?: (context: JobContext<P>) => Promise<number | null>;
  /** The next slice behind a cursor (null: the first); null when nothing is left. Reads only. */
  readonly plan: (context: JobContext<P>, cursor: C | null) => Promise<JobPlan<C, S> | null>;
  /** What a planned slice is to do. */
  readonly work: (context: JobContext<P>, plan: S) => Promise<JobWork>;
  /** What is to be said of a job that is through; in the transaction that ends it. */
  readonly finish?: (context: JobContext<P>, tx: PoolClient) => Promise<{ readonly [name: string]: Json }>;
}

/** Declares a kind and keeps the types of its parts for its own functions; the registry needs them no longer. */
export function defineJob<T extends TObject, C, S>(
  kind: Omit<JobKind<Static<T>, C, S>, "parameters"> & { readonly parameters: T },
): JobKind {
  return kind as unknown as JobKind;
}

/** Ends a job at once: another try would come to the same. */
export class JobFailed extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
