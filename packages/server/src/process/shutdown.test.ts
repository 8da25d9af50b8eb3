import { expect, test } from "vitest";
import { installShutdown } from "./shutdown.ts";
import type { StopSignal } from "./shutdown.ts";

function harness(onStop: (signal: StopSignal) => Promise<void>) {
  const listeners = new Map<StopSignal, () => void>();
  const exits: number[] = [];
  const errors: unknown[] = [];
  let now = 0;
  const uninstall = installShutdown({
    onStop,
    onError: (error) => errors.push(error),
    monotonicMs: () => now,
    target: {
      on: (signal, listener) => listeners.set(signal, listener),
      off: (signal) => listeners.delete(signal),
      exit: (code) => exits.push(code),
    },
  });
  const send = (signal: StopSignal, afterMs = 0) => {
    now += afterMs;
    listeners.get(signal)?.();
  };
  return { send, exits, errors, listeners, uninstall };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("the first signal drains once and then exits 0", async () => {
  const calls: string[] = [];
  let drained = () => {};
  const h = harness((signal) => {
    calls.push(signal);
    return new Promise((resolve) => (drained = resolve));
  });
  h.send("SIGTERM");
  h.send("SIGTERM", 20);
  h.send("SIGINT", 20);
  await turn();
  expect(h.exits).toEqual([]);
  drained();
  await turn();
  expect(calls).toEqual(["SIGTERM"]);
  expect(h.exits).toEqual([0]);
});

test("a second signal exits at once with 128 + its number, and only once", async () => {
  let drained = () => {};
  const h = harness(() => new Promise((resolve) => (drained = resolve)));
  h.send("SIGTERM");
  h.send("SIGINT", 1000);
  h.send("SIGTERM", 1000);
  drained();
  await turn();
  expect(h.exits).toEqual([130]);
  const other = harness(() => new Promise(() => {}));
  other.send("SIGINT");
  other.send("SIGTERM", 600);
  expect(other.exits).toEqual([143]);
});

test("a failed drain is told and exits 1", async () => {
  const fault = new Error("pool");
  const h = harness(() => Promise.reject(fault));
  h.send("SIGINT");
  await turn();
  expect(h.errors).toEqual([fault]);
  expect(h.exits).toEqual([1]);
});

test("a drain that throws before its first await is treated alike", async () => {
  const h = harness(() => {
    throw new Error("early");
  });
  h.send("SIGINT");
  await turn();
  expect(h.exits).toEqual([1]);
});

test("uninstalling removes both handlers", () => {
  const h = harness(() => Promise.resolve());
  expect(h.listeners.size).toBe(2);
  h.uninstall();
  expect(h.listeners.size).toBe(0);
});
