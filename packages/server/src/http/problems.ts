import { Type } from "typebox";
import type { Static } from "typebox";

/** One row of the catalogue of errors. */
interface ProblemRow {
  readonly status: number;
  readonly title: string;
  /** What whoever made the request can do about it. */
  readonly remedy: string;
  /** Sent as `Retry-After` where trying again makes sense. */
  readonly retryAfterSeconds?: number;
}

/**
 * Every error of the HTTP API that is not a refusal by the core. Clients rely on the codes: add, never rename.
 * docs/errors.md is made from this table.
 */
export const problems = {
  invalid_json: {
    status: 400,
    title: "The body is not valid JSON",
    remedy: "Send one JSON document in UTF-8.",
  },
  text_not_allowed: {
    status: 422,
    title: "A text holds characters that cannot be stored",
    remedy: "Remove NUL characters and halves of surrogate pairs; `path` says where they are.",
  },
  body_too_large: {
    status: 413,
    title: "The body is too large",
    remedy: "Send less at once; split lists into several requests.",
  },
  unsupported_media_type: {
    status: 415,
    title: "The body's media type is not supported here",
    remedy: "Send application/json, or what the documentation of the route names.",
  },
  unknown_field: {
    status: 422,
    title: "The input has a field that does not exist",
    remedy:
      "Check the spelling; `path` names the field. Unknown fields are refused so that none is ignored in silence.",
  },
  invalid_input: {
    status: 422,
    title: "The input is invalid",
    remedy: "Correct what `problems` lists; each has the path of its field.",
  },
  cursor_invalid: {
    status: 400,
    title: "The cursor is not one of this list",
    remedy:
      "Send `next_cursor` as it came, to the same address with the same parameters; or leave `cursor` out to begin anew.",
  },
  phone_not_possible: {
    status: 422,
    title: "The phone number is not possible",
    remedy: "Send it in international form, such as +12025550123.",
  },
  workflow_invalid: {
    status: 422,
    title: "The workflow has mistakes",
    remedy: "Correct what `problems` lists; each has the path of its place in the document.",
  },
  unauthorized: {
    status: 401,
    title: "The request is not signed in",
    remedy: "Send a valid token as `Authorization: Bearer ...`, or sign in anew.",
  },
  forbidden: {
    status: 403,
    title: "This is not permitted",
    remedy: "Ask an administrator of the organization for the permission that `detail` names.",
  },
  page_not_ours: {
    status: 403,
    title: "The request did not come from a page of ours",
    remedy:
      "A session acts only for pages under THREADMILL_PUBLIC_URL, which send `X-Threadmill-Page: 1` with whatever changes something. Programs use a token.",
  },
  not_a_member: {
    status: 403,
    title: "The identity does not work in that organization",
    remedy: "Name another in `X-Threadmill-Organization`, or none; GET /api/v2/account lists them.",
  },
  wrong_signature: {
    status: 403,
    title: "The signature does not fit the request",
    remedy:
      "Check that the channel's secret is the provider's, and that THREADMILL_PUBLIC_URL is the address that the provider calls.",
  },
  not_found: {
    status: 404,
    title: "There is no such thing",
    remedy: "Check the address and the id. Things of other organizations are not found either.",
  },
  conflict: {
    status: 409,
    title: "This does not fit the present state",
    remedy: "Read it again and decide anew.",
  },
  idempotency_key_reused: {
    status: 422,
    title: "The idempotency key belongs to another request",
    remedy: "Use a new key for each new request, and the same key only with the same body.",
  },
  too_many_requests: {
    status: 429,
    title: "Too many requests",
    remedy: "Wait as long as `Retry-After` says, then go on more slowly.",
    retryAfterSeconds: 1,
  },
  too_many_attempts: {
    status: 429,
    title: "Too many failed attempts",
    remedy:
      "Wait as long as `Retry-After` says. Guessing is slowed by account and by address; a browser in which you have signed in before is not held up by others.",
    retryAfterSeconds: 60,
  },
  commit_unknown: {
    status: 503,
    title: "It is not known whether this was done",
    remedy:
      "Send the same request with the same `Idempotency-Key` again: it is done at most once. Without a key, look before you repeat it.",
    retryAfterSeconds: 2,
  },
  shutting_down: {
    status: 503,
    title: "This process is stopping",
    remedy: "Nothing was done. Send the request again; another process or the restarted one takes it.",
    retryAfterSeconds: 2,
  },
  overloaded: {
    status: 503,
    title: "More waits than this process may hold",
    remedy:
      "Nothing was done. Wait as long as `Retry-After` says and send the request again. If it lasts, see `stuck_lanes` at `/readyz`, or send more slowly.",
    retryAfterSeconds: 2,
  },
  unavailable: {
    status: 503,
    title: "The server cannot work at the moment",
    remedy: "Nothing was done. Try again; if it lasts, see whether the database is up.",
    retryAfterSeconds: 5,
  },
  internal: {
    status: 500,
    title: "Something went wrong in the server",
    remedy: "The server's log has the details. Please report it as a bug.",
  },
} as const satisfies Record<string, ProblemRow>;

/** A code of the catalogue. */
export type ProblemCode = keyof typeof problems;

/** One of several mistakes in a request. */
export const ProblemItem = Type.Object(
  {
    code: Type.String({ description: "Stable code of this mistake" }),
    path: Type.String({ description: "JSON pointer to the field; empty for the whole body" }),
    message: Type.String(),
  },
  { additionalProperties: false },
);
export type ProblemItem = Static<typeof ProblemItem>;

/** The body of every error answer: problem details as in RFC 9457, with a stable `code`. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: "URI that names the kind of problem; it says the same as `code`" }),
    title: Type.String({ description: "The kind of problem in words" }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.String({ description: "Stable code; docs/errors.md lists those that the core does not add" }),
    detail: Type.String({ description: "What is wrong with this request" }),
    path: Type.Optional(Type.String({ description: "JSON pointer to the field that is wrong" })),
    problems: Type.Optional(Type.Array(ProblemItem)),
    customer: Type.Optional(
      Type.String({ description: "The other customer that stands against it, for whoever may read them" }),
    ),
  },
  { $id: "Problem", additionalProperties: false },
);
export type Problem = Static<typeof Problem>;

/** The media type of a problem. */
export const problemMediaType = "application/problem+json";

/** What may be told beyond the code. Without `detail` it is the code's title. */
export interface ProblemFields {
  detail?: string;
  path?: string;
  problems?: readonly ProblemItem[];
  customer?: string;
}

/** A refusal of the core, as `decide` answers it. */
export interface CoreRefusal {
  kind: "not_found" | "conflict" | "invalid" | "forbidden" | "limited";
  code: string;
  message: string;
  path?: string;
  problems?: readonly ProblemItem[];
  customer?: string;
}

/** The body for a code of the catalogue. Send it with its `status` and, where there is one, `retryAfterSeconds(code)`. */
export function problem(code: ProblemCode, fields: ProblemFields = {}): Problem {
  return body(code, problems[code], fields);
}

/** Seconds for `Retry-After`, or undefined where trying again changes nothing. */
export function retryAfterSeconds(code: ProblemCode): number | undefined {
  const row: ProblemRow = problems[code];
  return row.retryAfterSeconds;
}

/** Which row stands for a kind of refusal whose code the catalogue does not know. */
const rowOfKind = {
  not_found: problems.not_found,
  conflict: problems.conflict,
  invalid: problems.invalid_input,
  forbidden: problems.forbidden,
  limited: problems.too_many_requests,
} as const satisfies Record<CoreRefusal["kind"], ProblemRow>;

/** The body for a refusal of the core: its own code, with status and title of the catalogue or else of its kind. */
export function problemOfRefusal(refusal: CoreRefusal): Problem {
  const row = isProblemCode(refusal.code) ? problems[refusal.code] : rowOfKind[refusal.kind];
  return body(refusal.code, row, {
    detail: refusal.message,
    path: refusal.path,
    problems: refusal.problems,
    customer: refusal.customer,
  });
}

/** Whether the catalogue has this code. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}

function body(code: string, row: ProblemRow, { detail, path, problems: items, customer }: ProblemFields): Problem {
  return {
    type: `urn:threadmill:problem:${code}`,
    title: row.title,
    status: row.status,
    code,
    detail: detail ?? row.title,
    ...(path === undefined ? {} : { path }),
    ...(items === undefined ? {} : { problems: [...items] }),
    ...(customer === undefined ? {} : { customer }),
  };
}

/** docs/errors.md. A test keeps the file equal to this. */
export function errorsMarkdown(): string {
  const sections = Object.entries<ProblemRow>(problems).map(([code, row]) => {
    const retry =
      row.retryAfterSeconds === undefined ? "" : ` Answers carry \`Retry-After: ${row.retryAfterSeconds}\`.`;
    return `## ${code}\n\n${row.status}. ${row.title}.\n\n${row.remedy}${retry}\n`;
  });
  return [
    "# Errors",
    "",
    "This page is made from the catalogue in `packages/server/src/http/problems.ts`.",
    "",
    `Every error answer is a problem (RFC 9457, \`${problemMediaType}\`) with \`type\`, \`title\`, \`status\`, \`code\` and`,
    "`detail`, and where it helps `path`, a list `problems` of `code`, `path` and `message`, and the `customer` who stands against",
    "it, if you may read them. Rely on `code` and `status`; words may change.",
    "",
    "A command can also be refused with a code of its own, which says what stands against it. Its status follows from the",
    "kind of refusal: 404 for something that does not exist, 409 for what does not fit the present state, 422 for invalid",
    "input, 403 for what is not permitted, 429 for what a limit stopped.",
    "",
    ...sections,
  ].join("\n");
}
