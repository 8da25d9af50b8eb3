import type { Reason } from "../model/run.ts";
import { storable } from "../text/unicode.ts";

/** A thrown fault as a reason that people can read; faults of conditions and templates bring their own code. */
export function reasonOf(error: unknown, code: string): Reason {
  if (!(error instanceof Error)) return { code, message: storable(String(error)) };
  const own = (error as { code?: unknown }).code;
  return { code: typeof own === "string" ? own : code, message: storable(error.message) };
}
