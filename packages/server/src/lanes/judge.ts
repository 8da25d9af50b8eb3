import { classifyFault, type FaultKind } from "../db/fault-table.ts";
import { systemCode } from "../db/fault.ts";

/** What a failed batch means; `too_long`: a smaller one may fit. */
export type Judgement = FaultKind | "too_long";

/** The batch never held its lane, so nothing that it was to carry can have been the cause. */
export class LaneNotHeld extends Error {
  constructor(cause: unknown) {
    super(`The lane could not be taken: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "LaneNotHeld";
  }
}

/** Somebody else held the lane for longer than there was patience. */
export class LaneBusy extends Error {
  readonly lane: number;
  constructor(lane: number) {
    super(`Lane ${lane} is held by another transaction`);
    this.name = "LaneBusy";
    this.lane = lane;
  }
}

/** Trouble of the server or its machine that no item can be blamed for: disk or memory full, a file lost, a standby. */
const serversTrouble = /^(?:53|58)|^25006$/;
/** Canceled by `statement_timeout`, or cut off by the limits that the transaction set itself. */
const tooLong = new Set(["57014", "25P03", "25P04"]);

/** Judges what a batch threw: whether to try again, to look for its receipts, to make it smaller, or to find the poison. */
export function judge(error: unknown): Judgement {
  if (error instanceof LaneNotHeld || error instanceof LaneBusy) return "retryable";
  const code = systemCode(error) ?? "";
  if (tooLong.has(code)) return "too_long";
  return /^[0-9A-Z]{5}$/.test(code) && serversTrouble.test(code) ? "retryable" : classifyFault(error);
}
