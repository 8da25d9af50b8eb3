import { describe, expect, test } from "vitest";
import { type RunStatus, runStatuses } from "../model/run.ts";
import { isLive, type Signal, signals, transition, type Transition, transitions } from "./machine.ts";

const over = {
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
} as const;

/** What SPEC.md says, written down a second time: a new status or signal does not compile until it is specified here. */
const expected: Record<RunStatus, Record<Signal, Transition>> = {
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
  finished: over,
  failed: over,
  stopped: over,
  cancelled: over,
  skipped: over,
};
const cells = runStatuses.flatMap((status) =>
  signals.map((signal) => ({ status, signal, to: expected[status][signal] })),
);

describe("the machine of a run", () => {
  test("M1: has a cell for every status and signal, and no other", () => {
    expect(Object.keys(transitions)).toEqual([...runStatuses]);
    for (const status of runStatuses) expect(Object.keys(transitions[status])).toEqual([...signals]);
    expect(cells).toHaveLength(runStatuses.length * signals.length);
  });

  test.each(cells)("M2: $status, $signal: $to", ({ status, signal, to }) => {
    expect(transitions[status][signal]).toBe(to);
    if (to === "bug")
      expect(() => transition(status, signal)).toThrow(`a ${status} run cannot get the signal ${signal}`);
    else expect(transition(status, signal)).toBe(to === "ignored" ? null : to);
  });

  test("M3: nothing leads out of a final status, and every other can be ended from outside", () => {
    for (const status of runStatuses) {
      const out = signals.map((signal) => transitions[status][signal]).filter((to) => to !== "bug" && to !== "ignored");
      expect(out.length > 0).toBe(isLive(status));
      if (isLive(status))
        expect(transitions[status]).toMatchObject({ fault: "failed", stop: "stopped", cancel: "cancelled" });
    }
  });
});
