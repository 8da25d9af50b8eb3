import { ApiProblem, Unreachable } from "@threadmill/client";
import { DatabaseFault, explainFault, type ExitName } from "@threadmill/server";
import { UserError } from "./user-error.ts";

/** An error as the command line tells it. */
export interface Explained {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly exit: ExitName;
  /** only of bugs */
  readonly stack?: string;
}

/** The one place that tells what a person can mend from what is our bug. */
export function explain(error: unknown): Explained {
  if (error instanceof UserError) {
    const { code, message, hint, exit } = error;
    return { code, message, exit, ...(hint !== undefined && { hint }) };
  }
  if (error instanceof ApiProblem) return explainProblem(error);
  if (error instanceof Unreachable) {
    const hint = "Start the server with `threadmill start`, or say where it is with --url or THREADMILL_URL.";
    return { code: "unreachable", message: error.message, hint, exit: "unreachable" };
  }
  const { sentence, exit } = explainFault(error);
  if (error instanceof DatabaseFault)
    return { code: error.code, message: sentence, exit: exit === "fault" ? "refused" : exit };
  if (exit !== "fault") return { code: exit, message: sentence, exit };
  const stack = error instanceof Error ? error.stack : undefined;
  return {
    code: "internal",
    message: sentence,
    hint: "This looks like a bug in Threadmill. Please report it with the lines below.",
    exit,
    ...(stack !== undefined && { stack }),
  };
}

function explainProblem({ status, code, message, path, problems }: ApiProblem): Explained {
  const lines =
    problems.length === 0 ? [] : problems.map((one) => `\n  ${one.path || "/"}: ${one.message} (${one.code})`);
  const where = path === undefined || problems.length > 0 ? "" : ` (at ${path})`;
  const elsewhere = status === 503 || code === "unexpected_answer";
  const exit = elsewhere ? "unreachable" : status >= 500 ? "fault" : "refused";
  const hint = hints[code];
  return { code, message: `${message}${where}${lines.join("")}`, exit, ...(hint !== undefined && { hint }) };
}

const hints: { readonly [code: string]: string } = {
  unauthorized: "Set THREADMILL_TOKEN to a token of this server; `threadmill token create` makes one.",
  forbidden: "The token's user lacks a right for this.",
  unexpected_answer: "Is --url or THREADMILL_URL the address of a Threadmill server?",
  internal: "The server's log says what went wrong.",
};
