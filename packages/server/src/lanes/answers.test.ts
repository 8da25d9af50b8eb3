import { expect, test } from "vitest";
import type { Admitted, Settlement } from "./admission.ts";
import { answerAll, rejectAll } from "./answers.ts";
import type { BatchResult } from "./batch.ts";
import { EngineFault } from "./port.ts";

const place = { lane: 1, organization: "o" };
const boom = () => {
  throw new Error("boom");
};

function setUp() {
  const heard: string[] = [];
  const caller = (id: string): Admitted => ({
    place,
    id,
    command: { type: "customer.update", actor: { kind: "system", id: null }, input: {} },
    work: "interactive",
    since: 0,
    resolve: ({ command }) => void heard.push(`resolved ${command}`),
    reject: () => void heard.push(`rejected ${id}`),
  });
  const settlement = (effect: string): Settlement => ({
    place,
    since: 0,
    item: { kind: "settled", effect, attempt: 1, outcome: { status: "done", output: {} } },
    done: () => void heard.push(`settled ${effect}`),
  });
  return { heard, caller, settlement };
}

const result = (commands: readonly string[], strangers: readonly Admitted[]): BatchResult => ({
  outputs: [
    {
      replies: commands.map((command) => ({ command, answer: { ok: true, result: {} }, repeated: false })),
      leftover: null,
      poisoned: [],
    },
  ],
  notReached: { admitted: [], settlements: [] },
  strangers,
  runs: new Map(),
  more: false,
  items: commands.length,
  rows: 0,
  events: 0,
  lastSeq: 0,
  operations: 0,
  receipt: null,
  logged: new Set(),
  effectsLeft: false,
  at: "2026-01-01T00:00:00.000Z",
});

test("one caller who cannot be told keeps nobody else from being told", () => {
  const { heard, caller, settlement } = setUp();
  const stranger = { ...caller("stranger"), resolve: boom };
  const admitted = [stranger, { ...caller("first"), resolve: boom }, caller("second"), caller("forgotten")];
  const settlements = [{ ...settlement("e1"), done: boom }, settlement("e2")];
  expect(() => answerAll({ admitted, settlements }, result(["first", "second"], [stranger]))).toThrow(AggregateError);
  expect(heard).toEqual(["resolved second", "rejected forgotten", "settled e2"]);
});

test("nor does one who cannot be told that nothing was carried", () => {
  const { heard, caller, settlement } = setUp();
  const admitted = [{ ...caller("first"), reject: boom }, caller("second")];
  const fault = new EngineFault("unavailable", "away");
  expect(() => rejectAll({ admitted, settlements: [settlement("e1")] }, fault)).toThrow(AggregateError);
  expect(heard).toEqual(["rejected second", "settled e1"]);
});
