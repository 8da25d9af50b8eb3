import type { Clock } from "../process/clock.ts";
import type { Log } from "./log.ts";

type Level = "debug" | "info" | "warn" | "error";

/** One method a level, as the log has them. */
export type LimitedLog = Record<Level, (fields: object, message: string) => void> & {
  /** Reports what was held back and not yet told; call it when the process stops. */
  flush(): void;
};

/** At most so many lines a minute of each message. */
export interface LimitOptions {
  perMinute: number;
  clock: Pick<Clock, "now">;
}

interface Window {
  level: Level;
  endsAtMs: number;
  written: number;
  suppressed: number;
}

const windowMs = 60_000;
/** Messages are meant to be constants; should one be built from input, it shares one limit with all beyond these. */
const mostMessages = 200;
const otherMessages = "(other messages)";

/**
 * A log for what outsiders or a lasting fault can repeat at will. Of each message it writes `perMinute` lines a minute and
 * counts the rest; the count comes as a line of its own once the minute is over and anything is logged, or by `flush`.
 */
export function limitedLog(log: Log, options: LimitOptions): LimitedLog {
  const windows = new Map<string, Window>();

  const close = (message: string, window: Window) => {
    windows.delete(message);
    if (window.suppressed === 0) return;
    log[window.level]({ suppressed: window.suppressed, limited: message }, "Lines were suppressed");
  };

  const write = (level: Level) => (fields: object, message: string) => {
    if (!log.isLevelEnabled(level)) return;
    const nowMs = Date.parse(options.clock.now());
    // Maps keep insertion order and all windows are equally long, so the first that is still open ends the search.
    for (const [each, window] of windows) {
      if (window.endsAtMs > nowMs) break;
      close(each, window);
    }
    const key = windows.has(message) || windows.size < mostMessages ? message : otherMessages;
    const window = windows.get(key) ?? { level, endsAtMs: nowMs + windowMs, written: 0, suppressed: 0 };
    windows.set(key, window);
    if (window.written < options.perMinute) {
      window.written += 1;
      log[level](fields, message);
    } else {
      window.suppressed += 1;
    }
  };

  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    flush: () => {
      for (const [message, window] of windows) close(message, window);
    },
  };
}
