import type { Decision } from "../domain/decide.ts";
import { key } from "../domain/keys.ts";
import { prepare } from "../domain/registry.ts";
import { type Accepted, type Command, type Refusal, refuse } from "../model/command.ts";
import type { Id, Ref } from "../model/common.ts";
import type { EffectRow } from "../model/effect.ts";
import type { KeptItem } from "../model/parked.ts";
import type { Batch, Root } from "./batch.ts";
import { keyReused } from "./key-reused.ts";
import { react } from "./reaction.ts";
import type { Item, Receipt } from "./types.ts";

/** Decides another item within the root at hand. */
type Decide = (batch: Batch, root: Root, item: Item) => void;

/**
 * Decides `parked.retry` and, where that says yes, the item that was kept, by the same door as anything else. A refusal of
 * the kept item takes both back: it goes on waiting for a person.
 */
export function retryKept(batch: Batch, root: Root, command: Command, decideItem: Decide): Decision {
  const save = batch.save(root);
  const asked = batch.decide(root, command, { cause: {}, depth: 0 });
  if (!asked.answer.ok || asked.again === undefined) return asked;
  const answer = doAgain(batch, root, asked.again, decideItem);
  if (answer.ok) return { ...asked, answer: { ok: true, result: { ...answer.result, ...asked.answer.result } } };
  batch.restore(root, save);
  return { answer, events: [], effects: [], runs: [] };
}

function doAgain(batch: Batch, root: Root, item: KeptItem, decideItem: Decide): Accepted | Refusal {
  if (item.kind === "command") return commandAgain(batch, root, item);
  if (item.kind === "settled") return settleAgain(batch, root, item, decideItem);
  const { subject, table, id } = item as Extract<KeptItem, { kind: "wake" }>;
  const woken = subject ?? ({ kind: table === "customers" ? "customer" : "conversation", id: id as Id } satisfies Ref);
  decideItem(batch, root, { kind: "wake", at: root.at, subject: woken });
  return { ok: true, result: { [woken.kind]: woken.id } };
}

/** As whoever asked first, with the rights of today; their key finds the answer from here on. */
function commandAgain(batch: Batch, root: Root, item: Extract<KeptItem, { kind: "command" }>): Accepted | Refusal {
  const clientKey = item.key ?? null;
  const fingerprint = item.fingerprint ?? null;
  // the client came again with the same key meanwhile: it is done, where it was the same request
  const known = clientKey === null ? null : batch.ledger.get<Receipt>(key.receipt(clientKey));
  if (known !== null) return known.fingerprint === fingerprint ? known.answer : keyReused;
  const { type, actor } = item.command;
  const prepared = prepare(type, item.command.input, batch.config.settings);
  if (!prepared.ok) return prepared;
  const { answer, events, runs } = batch.decide(root, { type, actor, input: prepared.input }, { cause: {}, depth: 0 });
  if (!answer.ok) return answer;
  const receipt = { id: item.id, key: clientKey, fingerprint, answer, at: root.at };
  batch.receipts.push(receipt);
  if (clientKey !== null) batch.ledger.set(key.receipt(clientKey), receipt);
  root.queue.push(...runs);
  react(batch, root, events);
  return answer;
}

/** The outside world is not asked again: its answer is known, and only could not be taken in. */
function settleAgain(
  batch: Batch,
  root: Root,
  { effect: id, attempt, outcome }: Extract<KeptItem, { kind: "settled" }>,
  decideItem: Decide,
): Accepted | Refusal {
  const effect = batch.ledger.get<EffectRow>(key.effect(id));
  if (effect === null) return refuse("not_found", "effect_not_found", "There is no such effect any more", "/parked");
  if (effect.status !== "dead")
    return refuse("conflict", "effect_under_way", "The effect is being tried again already", "/parked");
  batch.ledger.set(key.effect(id), { ...effect, status: "due", attempt, lease_until: null });
  decideItem(batch, root, { kind: "settled", at: root.at, effect: id, attempt, outcome });
  return { ok: true, result: { effect: id } };
}
