import type { Caller } from "../../http/auth.ts";
import type { AppPorts } from "../../http/ports.ts";
import type { Call, Refused } from "../../http/route.ts";
import { readableCustomers } from "../../rights/readable.ts";
import { reachOf } from "../../rights/reach.ts";

/** What a command's caller is told. */
export interface CommandAnswer {
  readonly command: string;
  readonly result: object;
  /** true when automatic actions go on after this answer */
  readonly cut: boolean;
}

/** Hands commands of HTTP requests to the engine. */
export type SubmitCommand = (call: Call, type: string, input: unknown) => Promise<CommandAnswer | Refused>;

/** What a command says of the token that it came by: the decision asks again. */
export const scopesOf = ({ scopes }: Caller): { readonly scopes?: readonly string[] } =>
  scopes === null ? {} : { scopes: [...scopes] };

/** Makes the one way by which a request's command reaches the engine. Keys are the mill's business: it holds the lane. */
export function commandSubmitter({ engine, pool }: Pick<AppPorts, "engine" | "pool">): SubmitCommand {
  return async (call, type, input) => {
    const { key, place, actor, caller, reply } = call;
    const asked = { place, type, input, actor, ...scopesOf(caller), ...key };
    const { command, answer, cut, repeated } = await engine.submit(asked);
    if (repeated) void reply.header("idempotency-replayed", "true");
    if (answer.ok) return { command, result: answer.result, cut };
    // who else stands against it is told only to those who may read them
    const { customer: other, ...refusal } = answer;
    if (other === undefined) return refusal;
    const readable = await readableCustomers(pool, place, await reachOf(call, "customers.read"), [other]);
    return readable.has(other) ? answer : refusal;
  };
}
