import type { Config } from "@threadmill/server";
import type { Pool } from "../database.ts";

export type Verdict = "ok" | "warn" | "fail";

/** One line of the doctor's report. */
export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  readonly message: string;
}

/** What checks look at. */
export interface Patient {
  readonly config: Config;
  readonly fetch: typeof globalThis.fetch;
  readonly nodeVersion: string;
  readonly nowMs: () => number;
  /** the database, where it can be reached */
  readonly pool: Pool | null;
}

/** Makes the findings of one check. */
export function finder(check: string): Record<Verdict, (message: string) => Finding> {
  const as = (verdict: Verdict) => (message: string) => ({ check, verdict, message });
  return { ok: as("ok"), warn: as("warn"), fail: as("fail") };
}

/** An error in one line. */
export const inLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
