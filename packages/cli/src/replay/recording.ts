import { readFile } from "node:fs/promises";
import { UserError } from "../user-error.ts";

/** A message of a recorded conversation. */
export interface RecordedMessage {
  readonly from: "customer" | "agent";
  /** when it was written, in milliseconds since 1970 */
  readonly atMs: number;
  readonly text: string;
}

/** A recorded conversation, its messages in their order. */
export interface RecordedConversation {
  readonly id: string;
  readonly messages: readonly RecordedMessage[];
}

/** Reads a recording: a JSON array of `{id, messages: [{from, at, text}]}`. Throws a `UserError` that names the place. */
export async function readRecording(path: string): Promise<RecordedConversation[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UserError("file_unreadable", `${path} cannot be read: ${reason(error)}`, { cause: error });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError("file_invalid", `${path} is no JSON: ${reason(error)}`, { cause: error });
  }
  const wrong = (place: string, what: string): never => {
    throw new UserError("file_invalid", `${path} is no recording: ${place} ${what}`, {
      hint: 'It is an array of {"id", "messages": [{"from": "customer" or "agent", "at": an ISO 8601 date and time, "text"}]}.',
    });
  };
  if (!Array.isArray(json)) return wrong("the whole", "is no array");
  const seen = new Set<string>();
  return json.map((one: unknown, index) => {
    const place = `/${index}`;
    if (!isObject(one)) return wrong(place, "is no object");
    const { id, messages } = one;
    if (typeof id !== "string" || id === "" || id.length > 150)
      return wrong(`${place}/id`, "is no text of 1 to 150 characters");
    if (seen.has(id)) return wrong(`${place}/id`, `is "${id}" for the second time`);
    seen.add(id);
    if (!Array.isArray(messages)) return wrong(`${place}/messages`, "is no array");
    return {
      id,
      messages: messages.map((message: unknown, at) => readMessage(message, `${place}/messages/${at}`, wrong)),
    };
  });
}

function readMessage(message: unknown, place: string, wrong: (place: string, what: string) => never): RecordedMessage {
  if (!isObject(message)) return wrong(place, "is no object");
  const { from, at, text } = message;
  if (from !== "customer" && from !== "agent") return wrong(`${place}/from`, 'is neither "customer" nor "agent"');
  const atMs = typeof at === "string" && instant.test(at) ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(atMs)) return wrong(`${place}/at`, "is no ISO 8601 date and time with a zone");
  if (typeof text !== "string") return wrong(`${place}/text`, "is no text");
  return { from, atMs, text };
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
