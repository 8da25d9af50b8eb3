import { refuseReusedKey, reusedKey, type ScopedKey } from "../../http/idempotency.ts";
import type { AppPorts } from "../../http/ports.ts";
import type { Call, Refused } from "../../http/route.ts";

/** What a command's caller is told. */
export interface CommandAnswer {
  readonly command: string;
  readonly result: object;
  /** true when automatic actions go on after this answer */
  readonly cut: boolean;
}

/** Hands commands of HTTP requests to the engine. */
export type SubmitCommand = (call: Call, type: string, input: unknown) => Promise<CommandAnswer | Refused>;

/** Makes the one way by which a request's command reaches the engine; it knows the keys that are in use here just now. */
export function commandSubmitter({ engine, pool }: Pick<AppPorts, "engine" | "pool">): SubmitCommand {
  const underWay = new Map<string, { readonly key: string; count: number }>();

  /** Two requests at once with one key and two bodies: the receipt that would tell is not yet written. */
  async function once<T>({ scope, key }: ScopedKey, work: () => Promise<T>): Promise<T> {
    const other = underWay.get(scope);
    if (other !== undefined && other.key !== key) throw reusedKey();
    const mine = other ?? { key, count: 0 };
    mine.count += 1;
    underWay.set(scope, mine);
    try {
      return await work();
    } finally {
      mine.count -= 1;
      if (mine.count === 0) underWay.delete(scope);
    }
  }

  return async (call, type, input) => {
    const { key, place, actor } = call;
    const submit = () => engine.submit({ place, type, input, actor, ...(key !== null && { key: key.key }) });
    const { command, answer, cut, repeated } =
      key === null
        ? await submit()
        : await once(key, async () => {
            await refuseReusedKey(pool, place, key);
            return submit();
          });
    if (repeated) void call.reply.header("idempotency-replayed", "true");
    return answer.ok ? { command, result: answer.result, cut } : answer;
  };
}
