import { Missing } from "../domain/ledger.ts";
import type { Reason, Run } from "../model/run.ts";
import { storable } from "../text/unicode.ts";

/** A thrown fault as a reason that people can read; faults of conditions and templates bring their own code. */
export function reasonOf(error: unknown, code: string): Reason {
  if (!(error instanceof Error)) return { code, message: storable(String(error)) };
  const own = (error as { code?: unknown }).code;
  return { code: typeof own === "string" ? own : code, message: storable(error.message) };
}

/** What a test answers, or the fault that it ended in, as a reason. A need passes through (MILL law 8). */
export function judge<T>(test: () => T, code: string): { readonly answer: T } | { readonly fault: Reason } {
  try {
    return { answer: test() };
  } catch (error) {
    if (error instanceof Missing) throw error;
    return { fault: reasonOf(error, code) };
  }
}

/** Why a run cannot go on: its version, or a step of it, can be found no more. */
export function stepGone(run: Run, step: string | null): Reason {
  return { code: "step_gone", message: `The step ${step} of the workflow version ${run.version} is gone` };
}
