/** One of several mistakes in a request. */
export interface ProblemItem {
  readonly code: string;
  /** JSON pointer to the field; empty for the whole body */
  readonly path: string;
  readonly message: string;
}

/** An error answer of the server (RFC 9457): `code` is stable, the message is for people. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  /** JSON pointer to what is wrong, where there is one */
  readonly path: string | undefined;
  readonly problems: readonly ProblemItem[];

  constructor(
    status: number,
    body: { code?: unknown; detail?: unknown; title?: unknown; path?: unknown; problems?: unknown },
  ) {
    super(textOf(body.detail) ?? textOf(body.title) ?? `The server answered ${status}`);
    this.name = "ApiProblem";
    this.status = status;
    this.code = textOf(body.code) ?? "unexpected_answer";
    this.path = textOf(body.path);
    this.problems = Array.isArray(body.problems) ? (body.problems as ProblemItem[]) : [];
  }
}

/** No answer came, although it was tried several times. Whether a change was made is unknown. */
export class Unreachable extends Error {
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`No answer from ${url}: ${reasonOf(cause)}`, { cause });
    this.name = "Unreachable";
    this.url = url;
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** What broke, in words: `fetch` itself says only that it failed, and keeps the reason as the cause. */
function reasonOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const { cause } = fault;
  if (!(cause instanceof Error)) return fault.message;
  const { code } = cause as { code?: unknown };
  return cause.message || textOf(code) || fault.message;
}
