import { exitCode } from "./exit-codes.ts";

/** The signals that ask the process to stop. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** What the handlers need; `process` fits as `target`. */
export interface ShutdownOptions {
  /** Drains the process; called once. The process exits when it settles. */
  onStop(signal: StopSignal): Promise<void>;
  /** Told when `onStop` threw, before the process exits with the code of a fault. */
  onError(error: unknown): void;
  target: {
    on(signal: StopSignal, listener: () => void): unknown;
    off(signal: StopSignal, listener: () => void): unknown;
    exit(code: number): void;
  };
  /** Milliseconds from any fixed origin, never going back. */
  monotonicMs(): number;
}

/**
 * `npm start` passes Ctrl-C on to a process that got it from the terminal already, so one key press arrives twice
 * within milliseconds. Signals this close to the first are the same request.
 */
const samePressMs = 500;

/**
 * Installs the signal handlers: the first SIGINT or SIGTERM drains and exits 0 (or 1 when draining failed), a second one
 * exits at once with 128 + its number. Only `main.ts` calls it. Returns how to remove the handlers.
 */
export function installShutdown(options: ShutdownOptions): () => void {
  let firstAt: number | undefined;
  let exited = false;

  const exit = (code: number) => {
    if (exited) return;
    exited = true;
    options.target.exit(code);
  };

  const receive = (signal: StopSignal) => {
    if (firstAt !== undefined) {
      if (options.monotonicMs() - firstAt >= samePressMs) {
        exit(exitCode(signal === "SIGINT" ? "interrupted" : "terminated"));
      }
      return;
    }
    firstAt = options.monotonicMs();
    void drain(signal);
  };

  async function drain(signal: StopSignal): Promise<void> {
    try {
      await options.onStop(signal);
    } catch (error) {
      options.onError(error);
      return exit(exitCode("fault"));
    }
    exit(exitCode("ok"));
  }

  const onInterrupt = () => receive("SIGINT");
  const onTerminate = () => receive("SIGTERM");
  options.target.on("SIGINT", onInterrupt);
  options.target.on("SIGTERM", onTerminate);
  return () => {
    options.target.off("SIGINT", onInterrupt);
    options.target.off("SIGTERM", onTerminate);
  };
}
