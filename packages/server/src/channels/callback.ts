import type { IncomingHttpHeaders } from "node:http";
import type { Problem } from "../http/problems.ts";

/** An address that a provider calls: messages that come in, or news of those that went out. */
export interface Callback {
  /** the field under which a channel shows the address */
  readonly field: string;
  readonly about: string;
  /** below the channel's own: empty, or a slash and a word */
  readonly path: string;
  readonly method: "GET" | "POST";
  /** the body's media type; anything else is refused. Null: none is read */
  readonly mediaType: string | null;
  /** whether it is told news of messages that we sent, so that the address given for one can name it */
  readonly ofMessage?: true;
  /** Checks that the provider sent it and reads it. What it does not vouch for is refused before it is looked at. */
  receive(call: CallbackCall): CallbackAnswer;
}

/** One call of such an address. */
export interface CallbackCall {
  readonly channel: { readonly id: string; readonly secrets: Readonly<Record<string, string>> };
  /** as it was called: the public address, with path and query untouched */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** the message that the address names, which is ours to believe; null when it names none */
  readonly message: string | null;
}

/** Commands to be decided in their order, with what the provider hears when they are accepted; or why it was refused. */
export type CallbackAnswer =
  | {
      readonly commands: readonly { readonly type: string; readonly input: Readonly<Record<string, unknown>> }[];
      readonly reply: { readonly mediaType: string; readonly body: string };
    }
  | { readonly problem: Problem };
