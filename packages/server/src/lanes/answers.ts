import type { Accepted, Refusal } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { BatchResult } from "./batch.ts";
import { EngineFault } from "./port.ts";
import type { Taken } from "./lane.ts";

/** Answers every caller whose command the batch decided. Called only after COMMIT was answered with COMMIT. */
export function answerAll(taken: Taken, result: BatchResult): void {
  const waiting = new Map(taken.admitted.map((each) => [each.id, each]));
  const notReached = new Set<unknown>([...result.notReached.admitted, ...result.notReached.settlements]);
  for (const { output } of result.parts) {
    for (const { command, answer, repeated } of output.replies) {
      waiting.get(command)?.resolve({ command, answer, repeated, cut: output.leftover?.root === command });
      waiting.delete(command);
    }
    for (const { item } of output.poisoned) {
      if (item?.kind !== "command") continue;
      const caller = waiting.get(item.id);
      waiting.delete(item.id);
      if (item.command.type === "message.receive") {
        caller?.resolve({ command: item.id, answer: { ok: true, result: { parked: item.id } }, repeated: false, cut: false });
      } else caller?.reject(new EngineFault("internal", `A fault inside Threadmill; the command was kept as ${item.id}`));
    }
  }
  for (const each of waiting.values()) {
    if (!notReached.has(each)) each.reject(new EngineFault("internal", "The batch gave no answer"));
  }
  for (const each of taken.settlements) if (!notReached.has(each)) each.done();
}

/** The answers of commands that were committed, by command id. */
export async function lookUpReceipts(client: PoolClient, lane: number, ids: readonly string[]): Promise<Map<string, Accepted | Refusal>> {
  const found = await client.query<{ id: string; answer: Accepted | Refusal }>({
    name: "look_up_receipts",
    text: "select id, answer from receipts where lane = $1 and id = any($2)",
    values: [lane, ids],
  });
  return new Map(found.rows.map((row) => [row.id, row.answer]));
}
