import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { classifyFault } from "../db/fault-table.ts";
import { EngineFault } from "../lanes/port.ts";
import { type LimitedLog, limitedLog } from "../observe/limited-log.ts";
import type { AppPorts } from "./ports.ts";
import {
  isProblemCode,
  problem,
  type Problem,
  type ProblemCode,
  problemMediaType,
  retryAfterSeconds,
} from "./problems.ts";
import { InvalidRequest } from "./validation.ts";

/** Thrown by hooks and handlers to answer with a problem. An answer, not a fault: it is not logged. */
export class ProblemAnswer extends Error {
  readonly problem: Problem;
  /** after how many seconds to come again, where that is known better than by the code */
  readonly retryAfter: number | undefined;
  constructor(given: Problem, retryAfter?: number) {
    super(given.detail);
    this.problem = given;
    this.retryAfter = retryAfter;
  }
}

/** How a scope writes its problems. */
export interface ProblemForm {
  readonly mediaType: string;
  readonly bodyOf: (given: Problem) => object;
}

/** Problems as they are, of RFC 9457. */
export const plainProblems: ProblemForm = { mediaType: problemMediaType, bodyOf: (given) => given };

/** Answers with a problem: its status, media type and, where trying again makes sense, when. */
export function sendProblem(
  reply: FastifyReply,
  given: Problem,
  form: ProblemForm = plainProblems,
  retryAfter?: number,
): FastifyReply {
  const known = isProblemCode(given.code) ? retryAfterSeconds(given.code) : given.status === 429 ? 60 : undefined;
  const seconds = retryAfter ?? known;
  if (seconds !== undefined) void reply.header("retry-after", String(seconds));
  if (given.status === 401) void reply.header("www-authenticate", 'Bearer realm="threadmill"');
  return reply.code(given.status).type(form.mediaType).serializer(JSON.stringify).send(form.bodyOf(given));
}

/** Fastify's own complaints about a request, by its code. */
const ofFastify: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "invalid_input",
  FST_ERR_BAD_URL: "not_found",
  FST_ERR_ASYNC_CONSTRAINT: "not_found",
};

/** The problem of anything that was thrown, and whether it is a fault of ours that must be logged. */
export function problemOfError(error: unknown): { readonly problem: Problem; readonly fault: boolean } {
  const answer = (given: Problem) => ({ problem: given, fault: false });
  if (error instanceof ProblemAnswer) return answer(error.problem);
  if (error instanceof InvalidRequest) return answer(problemOfInvalid(error));
  if (error instanceof EngineFault) {
    return {
      problem: problem(error.code, error.code === "internal" ? {} : { detail: error.message }),
      fault: error.code !== "shutting_down" && error.code !== "overloaded",
    };
  }
  const { code = "", statusCode = 500 } = error as Partial<FastifyError>;
  const known = ofFastify[code];
  if (known !== undefined) return answer(problem(known));
  // the rest of what Fastify refuses itself: broken framing, an aborted body
  if (typeof code === "string" && code.startsWith("FST_ERR_") && statusCode < 500)
    return answer(problem("invalid_input", { detail: (error as Error).message }));
  const kind = classifyFault(error);
  const fault: ProblemCode = kind === "retryable" ? "unavailable" : kind === "in_doubt" ? "commit_unknown" : "internal";
  return { problem: problem(fault), fault: true };
}

/** A path that does not fit names nothing; in a body, unknown fields have a code of their own. */
function problemOfInvalid({ part, items }: InvalidRequest): Problem {
  if (part === "params") return problem("not_found");
  const [first] = items;
  const onlyUnknown = items.length > 0 && items.every((item) => item.code === "unknown_field");
  const place = part === "body" ? "" : ` of the ${part === "querystring" ? "query" : part}`;
  return problem(onlyUnknown ? "unknown_field" : "invalid_input", {
    detail: first === undefined ? undefined : `${first.path}${place}: ${first.message}`,
    path: first?.path,
    problems: items,
  });
}

/** Installs the handlers through which every error answer goes, of the app or of one scope. */
export function handleErrors(
  app: FastifyInstance,
  ports: Pick<AppPorts, "log" | "metrics" | "clock">,
  form: ProblemForm = plainProblems,
): void {
  // a lasting fault, or one that outsiders can set off at will, must not flood the log
  const log: LimitedLog = limitedLog(ports.log, { perMinute: 20, clock: ports.clock });
  app.setErrorHandler((error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    // what the socket itself reported: whoever asked hung up in the middle of the request, and nobody hears the answer
    if (error === request.raw.errored) {
      ports.metrics.failure("client_gone");
      return sendProblem(reply, problem("invalid_input", { detail: "The request broke off" }), form);
    }
    const { problem: given, fault } = problemOfError(error);
    ports.metrics.failure(given.code);
    if (fault) log.error({ err: error, method: request.method, route: request.routeOptions.url }, "A request failed");
    return sendProblem(reply, given, form, error instanceof ProblemAnswer ? error.retryAfter : undefined);
  });
  app.setNotFoundHandler((request, reply) => {
    ports.metrics.failure("not_found");
    return sendProblem(reply, problem("not_found", { detail: `There is no ${request.method} at this address` }), form);
  });
  app.addHook("onClose", () => log.flush());
}
