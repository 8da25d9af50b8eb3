import { type Client, createClient } from "@threadmill/client";
import type { Context } from "./command.ts";
import { UserError } from "./user-error.ts";

/** A client for the server and token that the options name. */
export function clientFor({ config, fetch }: Pick<Context, "config" | "fetch">): Client {
  if (config.token === undefined) {
    throw new UserError("token_missing", "THREADMILL_TOKEN is not set.", {
      exit: "usage",
      hint: "The server showed a token at its first start; `threadmill token create` makes another.",
    });
  }
  return createClient({ url: config.url, token: config.token, fetch });
}
