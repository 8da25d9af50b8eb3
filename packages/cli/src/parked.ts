import type { Context, Outcome } from "./command.ts";
import { clientFor } from "./server-client.ts";

interface ParkedItem {
  readonly id: string;
  readonly item: { readonly kind?: string; readonly command?: { readonly type: string } };
  readonly error: { readonly message?: string };
  readonly at: string;
}

/** Lists what waits for a person, oldest last: what it was to do, and the first line of why it could not. */
export async function listParked(context: Context): Promise<Outcome> {
  const items: ParkedItem[] = [];
  for await (const item of clientFor(context).each<ParkedItem>("/parked")) items.push(item);
  const lines = items.map(({ id, item, error, at }) => {
    const what = item.command?.type ?? item.kind ?? "leftover";
    return `${id}  ${at}  ${what}  ${(error.message ?? "").split("\n", 1)[0]}`;
  });
  return { json: { items }, text: lines.length === 0 ? "Nothing waits for a person." : lines.join("\n") };
}

/** Does items after all, or marks them as seen to; the first that is refused ends it, and those before it are done. */
export async function settleParked(
  context: Context,
  verb: "retry" | "resolve",
  ids: readonly string[],
): Promise<Outcome> {
  const client = clientFor(context);
  const results: object[] = [];
  for (const id of ids) {
    const answer = await client.request<{ readonly result: object }>(
      "POST",
      `/parked/${encodeURIComponent(id)}/${verb}`,
    );
    results.push(answer.result);
  }
  return {
    json: { results },
    text: `${ids.join(", ")}: ${verb === "retry" ? "done after all" : "marked as seen to"}.`,
  };
}
