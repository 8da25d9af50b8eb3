import type { RunStatus } from "../model/run.ts";

/**
 * What can happen to a run.
 *
 *              match / run.start
 *                     |
 *                     v        advance
 *      skip  <---- [queued] ----------> (itself)
 *                   ^  |  \__ end, fault, stop, cancel --> final
 *   due, interrupt, |  | hold
 *   settled         |  v
 *                 [waiting] ------ fault, stop, cancel --> final
 */
export const signals = [
  "advance", // a step is done and another follows
  "end", // a step is done and none follows
  "hold", // the run begins to wait
  "due", // its timer fell due
  "interrupt", // the event that it must not outwait came
  "settled", // the effect that it waits for is settled
  "fault", // a step failed and nobody catches it
  "stop", // a stop step, a guard or the allowance
  "cancel", // a person said so, or another run replaced it
  "skip", // a guard said no before the first step
] as const;
export type Signal = (typeof signals)[number];

/** `ignored`: it comes too late and changes nothing. `bug`: it cannot come, whoever sends it is wrong. */
export type Transition = RunStatus | "ignored" | "bug";

const final: Readonly<Record<Signal, Transition>> = {
  advance: "bug",
  end: "bug",
  hold: "bug",
  due: "ignored",
  interrupt: "ignored",
  settled: "ignored",
  fault: "ignored",
  stop: "ignored",
  cancel: "ignored",
  skip: "bug",
};

/** The whole machine: a new status or signal does not compile until every cell is filled. */
export const transitions: Readonly<Record<RunStatus, Readonly<Record<Signal, Transition>>>> = {
  queued: {
    advance: "queued",
    end: "finished",
    hold: "waiting",
    due: "ignored",
    interrupt: "ignored",
    settled: "ignored",
    fault: "failed",
    stop: "stopped",
    cancel: "cancelled",
    skip: "skipped",
  },
  waiting: {
    advance: "bug",
    end: "bug",
    hold: "bug",
    due: "queued",
    interrupt: "queued",
    settled: "queued",
    fault: "failed",
    stop: "stopped",
    cancel: "cancelled",
    skip: "bug",
  },
  finished: final,
  failed: final,
  stopped: final,
  cancelled: final,
  skipped: final,
};

/** The status after a signal, or null when it comes too late. Throws on a signal that cannot come. */
export function transition(status: RunStatus, signal: Signal): RunStatus | null {
  const next = transitions[status][signal];
  if (next === "bug") throw new Error(`a ${status} run cannot get the signal ${signal}`);
  return next === "ignored" ? null : next;
}

/** Whether a run will move again. */
export const isLive = (status: RunStatus): boolean => status === "queued" || status === "waiting";
