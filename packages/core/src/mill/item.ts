import { key } from "../domain/keys.ts";
import { prepare } from "../domain/registry.ts";
import type { Accepted, Command, Refusal } from "../model/command.ts";
import type { Id, Ref } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { Effect, Outcome } from "../model/effect.ts";
import type { Reason } from "../model/run.ts";
import { effectKinds } from "./effects.ts";
import type { Batch, Root } from "./batch.ts";
import { endRun, readRun, wakeRun } from "./runs.ts";
import { settle, versionOf } from "./settle.ts";
import type { Item } from "./types.ts";
import { wakeSubject } from "./watch.ts";

/** The name of the root that an item begins (MILL law 5): from it all its ids follow. */
export function rootOf(item: Item): string {
  switch (item.kind) {
    case "command":
      return item.id;
    case "settled":
      return `effect:${item.effect}:${item.attempt}`;
    case "timer":
      return `timer:${item.run}:${item.wait}`;
    case "wake":
      return `wake:${item.subject.id}:${item.at}`;
  }
}

/** Decides one item. What it sets off is in the root's queue afterwards. */
export function decideItem(batch: Batch, root: Root, item: Item): void {
  batch.spend(root);
  switch (item.kind) {
    case "command":
      return decideCommand(batch, root, item);
    case "settled":
      return settleEffect(batch, root, item);
    case "timer":
      return fallDue(batch, root, item);
    case "wake":
      return wake(batch, root, item.subject);
  }
}

function decideCommand(batch: Batch, root: Root, item: Extract<Item, { kind: "command" }>): void {
  if (item.key !== undefined) {
    const known = batch.ledger.get<{ readonly answer: Accepted | Refusal }>(key.receipt(item.key));
    if (known !== null) {
      batch.replies.push({ command: item.id, answer: known.answer, repeated: true });
      return;
    }
  }
  const decision =
    item.refusal === undefined
      ? batch.decide(root, item.command, { cause: {}, depth: 0 })
      : { answer: item.refusal, events: [], effects: [], runs: [] };
  const receipt = { id: item.id, key: item.key ?? null, answer: decision.answer, at: root.at };
  batch.replies.push({ command: item.id, answer: decision.answer, repeated: false });
  batch.receipts.push(receipt);
  if (item.key !== undefined) batch.ledger.set(key.receipt(item.key), receipt);
  root.queue.push(...decision.runs);
  settle(batch, root, decision.events);
}

/** A command that the engine itself asks for: a snooze that ended, a delivery's outcome. A refusal changes nothing. */
function command(batch: Batch, root: Root, type: string, input: Command["input"]): void {
  const prepared = prepare(type, input, batch.config.settings);
  if (!prepared.ok) throw new Error(`${type}: ${prepared.message}`);
  const decision = batch.decide(root, { type, actor: { kind: "system", id: null }, input: prepared.input }, { cause: {}, depth: 0 });
  root.queue.push(...decision.runs);
  settle(batch, root, decision.events);
}

function settleEffect(batch: Batch, root: Root, item: Extract<Item, { kind: "settled" }>): void {
  const effect = batch.ledger.get<Effect & { readonly status: string }>(key.effect(item.effect));
  if (effect === null || effect.status !== "due" || effect.attempt !== item.attempt) {
    batch.dropped.push(item);
    return;
  }
  const { outcome } = item;
  // what failed stays as a dead letter that a person can retry
  batch.ledger.set(
    key.effect(effect.id),
    outcome.status === "done" ? null : { ...effect, status: "dead", lease_until: null, last_error: outcome.error },
  );
  const told = effectKinds[effect.kind]?.settled(effect, outcome) ?? null;
  if (told !== null) command(batch, root, told.type, told.input);
  if (effect.run !== null) goOn(batch, root, effect.run, effect.id, outcome);
}

/** The run that waited for an effect goes on, by its step's `onError` edge when it failed. */
function goOn(batch: Batch, root: Root, id: Id, effect: Id, outcome: Outcome): void {
  const run = readRun(batch, id);
  if (run === null || run.status !== "waiting" || run.waiting?.effect !== effect) return;
  const step = versionOf(batch, run.version).steps.get(run.waiting.step);
  const onError = step?.kind === "action" ? step.onError : null;
  if (outcome.status === "done") {
    const output = { ...(run.steps.at(-1)?.output as object), ...outcome.output };
    wakeRun(batch, run, "settled", root.at, { cursor: step?.next ?? null, result: { status: "done", output } });
    if (step !== undefined && step.next !== null) root.queue.push(id);
    return;
  }
  const reason: Reason = outcome.error;
  const result = { status: "failed" as const, reason, output: { error: { ...outcome.error } } };
  if (onError !== null) {
    wakeRun(batch, run, "settled", root.at, { cursor: onError, result });
    root.queue.push(id);
    return;
  }
  failWaiting(batch, root, id, result, reason);
}

function failWaiting(batch: Batch, root: Root, id: Id, result: object, reason: Reason): void {
  const run = readRun(batch, id);
  if (run === null) return;
  const last = run.steps.at(-1);
  const steps = last === undefined ? run.steps : [...run.steps.slice(0, -1), { ...last, ...result, finished_at: root.at }];
  endRun(batch, { ...run, steps }, "fault", reason, root.at);
}

function fallDue(batch: Batch, root: Root, item: Extract<Item, { kind: "timer" }>): void {
  const run = readRun(batch, item.run);
  if (run === null || run.status !== "waiting" || run.waiting?.wait !== item.wait) {
    // a timer row that outlived its wait goes; one of a later wait of the same run stays
    if (run === null || run.waiting === null) batch.ledger.set(key.timer(item.run), null);
    batch.dropped.push(item);
    return;
  }
  const step = versionOf(batch, run.version).steps.get(run.waiting.step);
  const cursor = step?.next ?? null;
  wakeRun(batch, run, "due", root.at, { cursor, result: { status: "done", output: { interrupted_by: null } } });
  if (cursor !== null) root.queue.push(run.id);
}

/** A subject's clock rang: a snooze that is over opens the conversation; then its time triggers are looked at. */
function wake(batch: Batch, root: Root, subject: Ref): void {
  if (subject.kind === "conversation") {
    const row = batch.ledger.get<ConversationRow>(key.conversation(subject.id));
    if (row?.status === "snoozed" && row.snoozed_until !== null && row.snoozed_until <= root.at) {
      command(batch, root, "conversation.open", { conversation: row.id });
    }
  }
  wakeSubject(batch, root, subject);
}
