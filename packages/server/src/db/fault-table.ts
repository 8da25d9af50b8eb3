import { DatabaseFault, systemCode } from "./fault.ts";

/**
 * What a failed piece of database work means: `retryable` (nothing was done, again may work), `in_doubt` (it may have
 * been committed; look before doing it again), `terminal` (again would fail the same way).
 */
export type FaultKind = "retryable" | "in_doubt" | "terminal";

/** SQLSTATEs that are not terminal. Two letters stand for a class. */
const BY_SQLSTATE: Readonly<Record<string, FaultKind>> = {
  "08": "retryable", // connection lost or refused
  "08007": "in_doubt", // transaction resolution unknown
  "25P03": "retryable", // idle in transaction too long: we stalled
  "25P04": "retryable", // transaction took too long
  "40001": "retryable", // serialization failure
  "40003": "in_doubt", // statement completion unknown
  "40P01": "retryable", // deadlock
  "53300": "retryable", // too many connections
  "55P03": "retryable", // lock not available in time
  "57P01": "retryable", // the server shuts down
  "57P02": "retryable", // the server crashed
  "57P03": "retryable", // the server is starting
  "57P05": "retryable", // idle session closed
};

/** Node's codes for a connection that failed or could not be made. */
const BY_SYSTEM_CODE: Readonly<Record<string, FaultKind>> = {
  ECONNREFUSED: "retryable",
  ECONNRESET: "retryable",
  ECONNABORTED: "retryable",
  EPIPE: "retryable",
  ETIMEDOUT: "retryable",
  EHOSTUNREACH: "retryable",
  ENETUNREACH: "retryable",
  ENOTFOUND: "retryable",
  EAI_AGAIN: "retryable",
};

/** pg gives these no code. */
const BY_MESSAGE: readonly (readonly [RegExp, FaultKind])[] = [
  [/^Connection terminated/, "retryable"],
  [/^Client has encountered a connection error/, "retryable"],
  [/^Client was closed/, "retryable"],
  [/^timeout (exceeded|expired) when trying to connect/, "retryable"],
  [/^Query read timeout/, "retryable"],
];

/** Classifies whatever database work threw. What it does not know is terminal. */
export function classifyFault(error: unknown): FaultKind {
  if (error instanceof DatabaseFault) return error.code === "commit_in_doubt" ? "in_doubt" : "terminal";
  const code = systemCode(error);
  const known = code === undefined ? undefined : (BY_SQLSTATE[code] ?? BY_SYSTEM_CODE[code] ?? classOf(code));
  if (known !== undefined) return known;
  const message = error instanceof Error ? error.message : "";
  return BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? "terminal";
}

function classOf(code: string): FaultKind | undefined {
  return /^[0-9A-Z]{5}$/.test(code) ? BY_SQLSTATE[code.slice(0, 2)] : undefined;
}

/** Tells whether the server itself refused the statement and the connection lives on, so that the outcome is certain. */
export function isCertainRefusal(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("severity" in error)) return false;
  return error.severity === "ERROR" && classifyFault(error) !== "in_doubt";
}
