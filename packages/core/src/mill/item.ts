import { key } from "../domain/keys.ts";
import { retryParked } from "../domain/parked/retry.ts";
import type { Command } from "../model/command.ts";
import type { Id, Ref } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { Effect, Outcome } from "../model/effect.ts";
import type { Cause } from "../model/event.ts";
import { storableJson } from "../text/unicode.ts";
import { retryKept } from "./again.ts";
import { effectKinds } from "./effects.ts";
import type { Batch, Root } from "./batch.ts";
import { keyReused } from "./key-reused.ts";
import { stepGone } from "./step-gone.ts";
import { failWaiting, readRun, wakeRun } from "./runs.ts";
import { react } from "./reaction.ts";
import type { Item, Receipt } from "./types.ts";
import { stepOf } from "./version.ts";
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
  const fingerprint = item.fingerprint ?? null;
  if (item.key !== undefined) {
    const known = batch.ledger.get<Receipt>(key.receipt(item.key));
    if (known !== null) {
      batch.replies.push(
        known.fingerprint === fingerprint
          ? { command: item.id, answer: known.answer, repeated: true, first: known.id }
          : { command: item.id, answer: keyReused, repeated: false },
      );
      return;
    }
  }
  const decision =
    item.refusal === undefined
      ? item.command.type === retryParked.type
        ? retryKept(batch, root, item.command, decideItem)
        : batch.decide(root, item.command, { cause: {}, depth: 0 })
      : { answer: item.refusal, events: [], effects: [], runs: [] };
  const receipt = { id: item.id, key: item.key ?? null, fingerprint, answer: decision.answer, at: root.at };
  batch.replies.push({ command: item.id, answer: decision.answer, repeated: false });
  batch.receipts.push(receipt);
  if (item.key !== undefined) batch.ledger.set(key.receipt(item.key), receipt);
  root.queue.push(...decision.runs);
  react(batch, root, decision.events);
}

/** A command that the engine itself asks for, in its normal form: a snooze that ended, a delivery's outcome. A refusal changes nothing. */
function command(
  batch: Batch,
  root: Root,
  type: string,
  input: Command["input"],
  from: { readonly cause: Cause; readonly depth: number },
): void {
  const decision = batch.decide(root, { type, actor: { kind: "system", id: null }, input }, from);
  root.queue.push(...decision.runs);
  react(batch, root, decision.events);
}

function settleEffect(batch: Batch, root: Root, item: Extract<Item, { kind: "settled" }>): void {
  const effect = batch.ledger.get<Effect & { readonly status: string }>(key.effect(item.effect));
  if (effect === null || effect.status !== "due" || effect.attempt !== item.attempt) {
    batch.dropped.push(item);
    return;
  }
  // what others' systems say is text of any kind
  const outcome = storableJson(item.outcome);
  // what failed stays as a dead letter that a person can retry
  batch.ledger.set(
    key.effect(effect.id),
    outcome.status === "done" ? null : { ...effect, status: "dead", lease_until: null, last_error: outcome.error },
  );
  const told = effectKinds[effect.kind]?.settled(effect, outcome) ?? null;
  // what the outcome starts is as deep as the run that asked for it, or a chain by way of effects would have no end
  const from = { cause: effect.run === null ? {} : { run: effect.run }, depth: effect.refs.depth ?? 0 };
  if (told !== null) command(batch, root, told.type, told.input, from);
  if (effect.run !== null) goOn(batch, root, effect.run, effect.id, outcome);
}

/** The run that waited for an effect goes on, by its step's `onError` edge when it failed. */
function goOn(batch: Batch, root: Root, id: Id, effect: Id, outcome: Outcome): void {
  const run = readRun(batch, id);
  if (run === null || run.status !== "waiting" || run.waiting?.effect !== effect) return;
  const step = stepOf(batch, run, run.waiting.step);
  if (step?.kind !== "action") return failWaiting(batch, run, stepGone(run, run.waiting.step), root.at);
  if (outcome.status === "done") {
    const output = { ...(run.steps.at(-1)?.output as object), ...outcome.output };
    wakeRun(batch, run, "settled", root.at, { cursor: step.next, result: { status: "done", output } });
    if (step.next !== null) root.queue.push(id);
    return;
  }
  const { code, message } = outcome.error;
  if (step.onError === null) return failWaiting(batch, run, { code, message }, root.at);
  const result = { status: "failed" as const, reason: { code, message }, output: { error: { code, message } } };
  wakeRun(batch, run, "settled", root.at, { cursor: step.onError, result });
  root.queue.push(id);
}

function fallDue(batch: Batch, root: Root, item: Extract<Item, { kind: "timer" }>): void {
  const run = readRun(batch, item.run);
  if (run === null || run.status !== "waiting" || run.waiting?.wait !== item.wait) {
    // a timer row that outlived its wait goes; one of a later wait of the same run stays
    if (run === null || run.waiting === null) batch.ledger.set(key.timer(item.run), null);
    batch.dropped.push(item);
    return;
  }
  // one that comes early comes again; where no instant is waited for, none can come
  if (run.waiting.due_at === null || run.waiting.due_at > root.at) {
    batch.dropped.push(item);
    return;
  }
  const step = stepOf(batch, run, run.waiting.step);
  if (step === null) return failWaiting(batch, run, stepGone(run, run.waiting.step), root.at);
  wakeRun(batch, run, "due", root.at, {
    cursor: step.next,
    result: { status: "done", output: { interrupted_by: null } },
  });
  if (step.next !== null) root.queue.push(run.id);
}

/** A subject's clock rang: a snooze that is over opens the conversation; then its time triggers are looked at. */
function wake(batch: Batch, root: Root, subject: Ref): void {
  if (subject.kind === "conversation") {
    const row = batch.ledger.get<ConversationRow>(key.conversation(subject.id));
    if (row?.status === "snoozed" && row.snoozed_until !== null && row.snoozed_until <= root.at) {
      command(batch, root, "conversation.open", { conversation: row.id }, { cause: {}, depth: 0 });
    }
  }
  wakeSubject(batch, root, subject);
}
