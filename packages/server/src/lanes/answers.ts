import { refuse } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Admitted, Taken } from "./admission.ts";
import type { BatchResult } from "./batch.ts";
import { EngineFault } from "./port.ts";
import type { BatchReceipt } from "./writer.ts";

/** Tells everyone, also where telling one of them throws; what was thrown is thrown when all have heard. */
function tellAll(tellings: readonly (() => void)[]): void {
  const thrown: unknown[] = [];
  for (const tell of tellings) {
    try {
      tell();
    } catch (error) {
      thrown.push(error);
    }
  }
  if (thrown.length > 0) throw new AggregateError(thrown, "Not everyone could be told");
}

/**
 * Answers every caller whose command the batch decided, whatever becomes of answering another. Called only after COMMIT
 * was answered with COMMIT.
 */
export function answerAll(taken: Taken, result: BatchResult): void {
  const tellings: (() => void)[] = [];
  const waiting = new Map(taken.admitted.map((each) => [each.id, each]));
  const notReached = new Set<unknown>([...result.notReached.admitted, ...result.notReached.settlements]);
  for (const { id, resolve } of result.strangers) {
    const answer = refuse("not_found", "organization_not_found", "There is no such organization here");
    tellings.push(() => resolve({ command: id, answer, repeated: false, cut: false }));
    waiting.delete(id);
  }
  for (const output of result.outputs) {
    for (const { command, answer, repeated, first } of output.replies) {
      const caller = waiting.get(command);
      const cut = output.leftover?.root === command;
      if (caller !== undefined)
        tellings.push(() => caller.resolve({ command: first ?? command, answer, repeated, cut }));
      waiting.delete(command);
    }
    for (const { item, error } of output.poisoned) {
      if (item?.kind !== "command") continue;
      const caller = waiting.get(item.id);
      if (caller !== undefined) tellings.push(() => answerParked(caller, error));
      waiting.delete(item.id);
    }
  }
  for (const each of waiting.values()) {
    if (!notReached.has(each))
      tellings.push(() => each.reject(new EngineFault("internal", "The batch gave no answer")));
  }
  for (const each of taken.settlements) if (!notReached.has(each)) tellings.push(() => each.done());
  tellAll(tellings);
}

/** An inbound message is parked for a person, never refused (MILL law 11); callers of other commands hear of the fault. */
export function answerParked({ id, command, resolve, reject }: Admitted, cause: unknown): void {
  if (command.type === "message.receive") {
    resolve({ command: id, answer: { ok: true, result: { parked: id } }, repeated: false, cut: false });
  } else reject(new EngineFault("internal", `A fault inside Threadmill; the command was kept as ${id}`, { cause }));
}

/** Tells everyone of a batch, or of a queue, why it was not carried. */
export function rejectAll({ admitted, settlements }: Taken, fault: EngineFault): void {
  tellAll([...admitted.map((each) => () => each.reject(fault)), ...settlements.map((each) => () => each.done(fault))]);
}

/** Whether a batch was committed, by its own receipt; to be asked with the lane in hand. */
export async function isCommitted(client: PoolClient, lane: number, receipt: BatchReceipt): Promise<boolean> {
  const { rows } = await client.query({
    name: "look_up_batch",
    text: "select 1 from receipts where lane = $1 and organization = $2 and id = $3",
    values: [lane, receipt.organization, receipt.id],
  });
  return rows.length > 0;
}
