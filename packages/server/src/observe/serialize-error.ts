import { scrubText } from "./scrub.ts";

/** An error as the log shows it. */
export interface LoggedError {
  type: string;
  message: string;
  stack?: string;
  code?: string | number;
  cause?: LoggedError;
  errors?: LoggedError[];
  [field: string]: unknown;
}

/**
 * Fields that explain a fault and hold no personal data. PostgreSQL's `detail`, `where` and `hint` are left out, since
 * they quote rows; so is `input` of an invalid URL, which is the address with its password.
 */
const keptFields = [
  "code",
  "syscall",
  "errno",
  "address",
  "port",
  "path",
  "severity",
  "schema",
  "table",
  "column",
  "constraint",
  "routine",
  "statusCode",
  "validationContext",
];
const deepestCause = 5;
const mostErrors = 5;

/** Serializes an error for the log: what it is, where, its code and its causes, without secrets. Takes any thrown value. */
export function serializeError(error: unknown): LoggedError {
  return serialize(error, deepestCause);
}

function serialize(error: unknown, depth: number): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: scrubText(textOf(error)) };
  const shown: LoggedError = { type: error.name || "Error", message: scrubText(error.message) };
  for (const field of keptFields) {
    const value: unknown = (error as unknown as Record<string, unknown>)[field];
    if (typeof value === "string") shown[field] = scrubText(value);
    else if (typeof value === "number") shown[field] = value;
  }
  if (error.stack) shown.stack = scrubText(error.stack);
  if (depth > 0 && error.cause !== undefined) shown.cause = serialize(error.cause, depth - 1);
  if (depth > 0 && error instanceof AggregateError) {
    shown.errors = error.errors.slice(0, mostErrors).map((each: unknown) => serialize(each, depth - 1));
  }
  return shown;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
