import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";
import { mask, scrubText, secretFields } from "./scrub.ts";
import { serializeError } from "./serialize-error.ts";

/** The log: pino's logger, which Fastify takes as `loggerInstance`. */
export type Log = Logger;

/** How to log. */
export interface LogOptions {
  level: string;
  /** Where lines go; standard output by default. */
  destination?: DestinationStream;
}

/**
 * Creates the log: one JSON object a line with `level` as a word and `time` as an instant. Secrets are masked twice: by
 * field (which also hides objects), and in the finished line, which catches messages and what children are bound to.
 */
export function createLog(options: LogOptions): Log {
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError, req: serializeRequest, res: serializeResponse },
      redact: { paths: secretFields.flatMap(pathsOf), censor: mask },
      hooks: { streamWrite: scrubText },
    },
    options.destination ?? pino.destination(1),
  );
}

/** Pino matches a path at a fixed depth only, and names with a hyphen need brackets. */
function pathsOf(field: string): string[] {
  const quoted = `["${field}"]`;
  return [quoted, `*${quoted}`, `*.*${quoted}`];
}

/** Without headers, which hold credentials, and without the query, which holds what people wrote. */
function serializeRequest(request: { method?: string; url?: string; ip?: string }) {
  const [path] = (request.url ?? "").split("?", 1);
  return { method: request.method, path, ip: request.ip };
}

function serializeResponse(response: { statusCode?: number }) {
  return { status: response.statusCode };
}
