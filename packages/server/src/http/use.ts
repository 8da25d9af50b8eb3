import type { Pool } from "pg";

/** Notes now and then that tokens and sessions are in use; nobody waits for it. */
export interface Use {
  /** Notes a token's use, within an hour of it. */
  token(row: { readonly id: string; readonly last_used_at: string | null }): void;
  /** Notes a session's use, within some minutes of it, and lets it last on. */
  session(row: { readonly id: string; readonly last_seen_at: string; readonly lasts_ms: number }): void;
}

const tokenEveryMs = 3_600_000;
const sessionEveryMs = 600_000;

/** Makes the one place where use is noted: rarely, for each writing costs a row, and a flood of calls must not. */
export function createUse(pool: Pool, nowMs: () => number): Use {
  /** Other processes note it too: the row is written only where none of them has. What fails is noted next time. */
  const note = (text: string, values: readonly unknown[]): void => {
    void pool.query(text, [...values]).catch(() => {});
  };
  const due = (last: string | null, everyMs: number): boolean => last === null || nowMs() - Date.parse(last) > everyMs;
  return {
    token({ id, last_used_at }) {
      if (!due(last_used_at, tokenEveryMs)) return;
      note(
        "update directory_tokens set last_used_at = now() where id = $1 and (last_used_at is null or last_used_at < now() - make_interval(secs => $2))",
        [id, tokenEveryMs / 1000],
      );
    },
    session({ id, last_seen_at, lasts_ms }) {
      if (!due(last_seen_at, sessionEveryMs)) return;
      note(
        "update directory_sessions set last_seen_at = now(), expires_at = now() + make_interval(secs => $2) where id = $1 and expires_at > now()",
        [id, lasts_ms / 1000],
      );
    },
  };
}
