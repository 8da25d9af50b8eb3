import { createHash } from "node:crypto";
import type { Actor } from "@threadmill/core";
import { EngineFault, type Place, type Submitted } from "../lanes/port.ts";
import type { Submission } from "../lanes/engine.ts";
import type { Clock } from "../process/clock.ts";
import type { ItemRefused, JobItem } from "./kind.ts";

/** Whose items are submitted, and how long it is worth while. */
export interface Submitting {
  readonly engine: { submit(request: Submission): Promise<Submitted> };
  readonly clock: Clock;
  readonly place: Place;
  readonly job: string;
  readonly actor: Actor;
  /** whether to go on after a pause: not when the process stops, or the job is no longer ours or wanted */
  readonly wanted: () => boolean;
  readonly signal: AbortSignal;
}

/** Ended between two tries: the slice stays open, and whoever takes the job up goes on with it. */
export class SliceLeft extends Error {}

/** What became of a slice's commands. */
export interface ItemsDone {
  readonly done: number;
  readonly refused: readonly ItemRefused[];
}

/** Faults that say that nothing was done, or that it is not known: the same command with the same key may come again. */
const passing: ReadonlySet<EngineFault["code"]> = new Set([
  "overloaded",
  "unavailable",
  "shutting_down",
  "commit_unknown",
]);
const pausesMs = [50, 200, 500, 1000, 2000, 5000] as const;

/**
 * Has the commands of a slice decided, each once: its key is made of the job and the item, so that one which was decided
 * before gives its first answer again. They come to the lane in their order: where there is no room for one, those behind
 * it wait too.
 */
export async function submitItems(items: readonly JobItem[], submitting: Submitting): Promise<ItemsDone> {
  const refused: ItemRefused[] = [];
  let done = 0;
  let left = items;
  for (let pauses = 0; left.length > 0;) {
    const { answers, turnedAway } = await round(left, submitting);
    const again: JobItem[] = [];
    for (const [n, answer] of answers.entries()) {
      const item = left[n] as JobItem;
      if (answer === "again") again.push(item);
      else if (answer === null) done += 1;
      else refused.push(answer);
    }
    const next = [...again, ...left.slice(answers.length)];
    // whatever went through shows that there is room again
    if (next.length < left.length) pauses = 0;
    left = next;
    if (left.length === 0) break;
    if (turnedAway || again.length > 0) {
      await submitting.clock.sleep(pausesMs[Math.min(pauses++, pausesMs.length - 1)] as number, submitting.signal);
      if (submitting.signal.aborted || !submitting.wanted()) throw new SliceLeft("the slice is left open");
    }
  }
  return { done, refused };
}

/** Null: done. */
type ItemAnswer = ItemRefused | "again" | null;

/** Submits as many as are let in, and waits for their answers. */
async function round(
  items: readonly JobItem[],
  submitting: Submitting,
): Promise<{ readonly answers: readonly ItemAnswer[]; readonly turnedAway: boolean }> {
  const waiting: Promise<ItemAnswer>[] = [];
  for (const each of items) {
    const answer = submitOne(each, submitting);
    waiting.push(answer);
    // one that is turned away at the door is so at once; what waits for its batch is not settled here
    if ((await Promise.race([answer, atOnce])) === "again")
      return { answers: await Promise.all(waiting), turnedAway: true };
  }
  return { answers: await Promise.all(waiting), turnedAway: false };
}

/** Settles after what is settled already by a few turns of promises. */
const atOnce: Promise<undefined> = Promise.resolve()
  .then(() => {})
  .then(() => {})
  .then(() => undefined);

async function submitOne({ item, command, detail }: JobItem, to: Submitting): Promise<ItemAnswer> {
  try {
    const { answer } = await to.engine.submit({
      place: to.place,
      type: command.type,
      input: command.input,
      actor: to.actor,
      key: itemKey(to.place.organization, to.job, item),
      work: "bulk",
    });
    if (answer.ok) return null;
    const { code, message, path } = answer;
    return { item, code, message, ...(path !== undefined && { path }), ...(detail !== undefined && { detail }) };
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error;
    if (passing.has(error.code)) return "again";
    // a bug: the engine has kept the command for a person
    return { item, code: error.code, message: error.message, ...(detail !== undefined && { detail }) };
  }
}

/** The idempotency key of an item's command: 128 bits of a hash, as those of clients. */
export const itemKey = (organization: string, job: string, item: string): string =>
  createHash("sha256").update(`job:${organization}:${job}:${item}`).digest("hex").slice(0, 32);
