import { describe, expect, test } from "vitest";
import { key } from "../domain/keys.ts";
import type { Accepted } from "../model/command.ts";
import type { WorkflowDocument } from "../workflow/document.ts";
import { publish } from "../testing/mill.ts";
import { actors, ids } from "../testing/settings.ts";
import { type Stage, stage } from "../testing/stage.ts";

type Document = Partial<WorkflowDocument> & Pick<WorkflowDocument, "steps">;
const holdUnlessWritten: Document["steps"] = {
  hold: { wait: { for: "2h", unless: "message.received" }, next: "late", onInterrupt: "heard" },
  late: { action: "customer.add_tags", input: { tags: ["late"] } },
  heard: { action: "customer.add_tags", input: { tags: ["heard"] } },
};
const write = (play: Stage, channel: string, from: string): { conversation: string; customer: string } =>
  (play.issue("message.receive", { channel, from, text: "hi" }, { actor: actors.channel }) as Accepted).result as never;
const number = "+14155550101";
const mail = "ann@example.com";

/** The same person, by e-mail and by SMS, as two customers with a conversation each. */
function twoCustomers(document: Document) {
  const play = stage({ workflows: [publish(0, document)] });
  const text = write(play, "sms", number);
  const letter = write(play, "email", mail);
  return { play, text, letter };
}

/** Two conversations of one customer, on two channels. */
function twoConversations(...documents: readonly Document[]) {
  const play = stage({ workflows: documents.map((document, n) => publish(n, document)) });
  const text = write(play, "sms", number);
  const { conversation } = (
    play.issue("conversation.start", { channel: "email", to: mail, customer: text.customer }) as Accepted
  ).result;
  return { play, text: text.conversation, letter: conversation as string, customer: text.customer };
}

describe("runs that wait", () => {
  test("L13: a customer's run that waits for a message hears of it after the merge", () => {
    const { play, text, letter } = twoCustomers({ kind: "manual", steps: holdUnlessWritten });
    play.issue("run.start", { workflow: "workflow-0", customer: text.customer });
    play.issue("customer.merge", { customer: text.customer, into: letter.customer });
    expect(play.runsOf(0)).toMatchObject([{ status: "waiting", subject: letter.customer, customer: letter.customer }]);
    write(play, "sms", number);
    expect(play.runsOf(0)).toMatchObject([{ status: "finished" }]);
    expect(play.customer(letter.customer).tags).toEqual(["heard"]);
    expect(play.shell.timers()).toEqual([]);
  });

  test("L13: for a merged conversation go on with the target, at their instant and by what it hears", () => {
    for (const heard of [true, false]) {
      const tag = (name: string) => ({ action: "conversation.add_tags", input: { tags: [name] } });
      const { play, text, letter } = twoConversations({
        kind: "manual",
        steps: { ...holdUnlessWritten, late: tag("late"), heard: tag("heard") },
      });
      play.issue("run.start", { workflow: "workflow-0", conversation: text });
      play.issue("conversation.merge", { conversation: text, into: letter });
      if (heard) write(play, "email", mail);
      else play.ringNext();
      expect(play.runsOf(0)).toMatchObject([{ status: "finished", subject: letter, conversation: letter }]);
      expect(play.conversation(letter).tags).toEqual([heard ? "heard" : "late"]);
    }
  });

  test("L13: for an effect of a merged conversation are settled as before", () => {
    const { play, text, letter } = twoConversations({
      kind: "manual",
      steps: {
        say: { action: "message.send", input: { text: "hello" }, await: true, next: "tag" },
        tag: { action: "conversation.add_tags", input: { tags: ["sent"] } },
      },
    });
    play.issue("run.start", { workflow: "workflow-0", conversation: text });
    play.issue("conversation.merge", { conversation: text, into: letter });
    const [effect] = play.shell.effects();
    expect(effect?.payload).toMatchObject({ channel: ids.channels.sms, to: number });
    play.settle(effect?.id as string, { status: "done", output: {} });
    expect(play.runsOf(0)).toMatchObject([{ status: "finished" }]);
    expect(play.conversation(letter).tags).toEqual(["sent"]);
  });
});

describe("runs that have steps to take", () => {
  test("L13: go on with the target after the step that merges, and so does who comes next in the queue", () => {
    const tag = (name: string) => ({ action: "conversation.add_tags", input: { tags: [name] } });
    const { play, text, letter } = twoConversations(
      {
        triggers: [{ event: "conversation.topic_set" }],
        order: 1,
        steps: {
          find: { action: "customer.add_tags", input: { tags: ["both"] }, next: "merge" },
          merge: {
            action: "run.start",
            input: { workflow: "workflow-2", conversation: { ref: "conversation.id" } },
            next: "tag",
          },
          tag: tag("first"),
        },
      },
      { triggers: [{ event: "conversation.topic_set" }], order: 2, steps: { tag: tag("second") } },
      {
        kind: "manual",
        inputs: { into: { type: "text" } },
        steps: {
          merge: { action: "conversation.merge", input: { into: { ref: "inputs.into" } }, next: "tag" },
          tag: tag("third"),
        },
      },
    );
    play.issue("run.start", { workflow: "workflow-2", conversation: text, inputs: { into: letter } });
    expect(play.runsOf(2)).toMatchObject([{ status: "finished", subject: letter, conversation: letter }]);
    expect(play.conversation(letter).tags).toEqual(["third"]);
    expect(play.conversation(text).tags).toEqual([]);
  });

  test("L13: are about the target though another run merged what they are about", () => {
    const merge = { action: "conversation.merge", input: { into: "{{ customer.properties.into }}" } };
    const { play, text, letter, customer } = twoConversations(
      { triggers: [{ event: "conversation.topic_set" }], order: 1, steps: { merge } },
      {
        triggers: [{ event: "conversation.topic_set" }],
        order: 2,
        limits: { runs_per_day: 1 },
        steps: { tag: { action: "conversation.add_tags", input: { tags: ["second"] } } },
      },
    );
    play.issue("customer.set_property", { customer, name: "into", value: letter });
    play.issue("conversation.set_topic", { conversation: text, topic: "refund" });
    expect(play.runsOf(1)).toMatchObject([{ status: "finished", subject: letter }]);
    expect(play.conversation(letter)).toMatchObject({ tags: ["second"], topic: "refund" });
    expect(play.conversation(letter).guards?.runs).toEqual({
      [play.runsOf(0)[0]?.workflow as string]: 1,
      [play.runsOf(1)[0]?.workflow as string]: 1,
    });
  });
});

test("L15: counters add up: what ran for the source today counts for the target", () => {
  const { play, text, letter } = twoConversations({
    kind: "manual",
    limits: { runs_per_day: 2 },
    steps: { done: { stop: true } },
  });
  for (const conversation of [text, letter]) play.issue("run.start", { workflow: "workflow-0", conversation });
  play.issue("conversation.merge", { conversation: text, into: letter });
  play.issue("run.start", { workflow: "workflow-0", conversation: letter });
  const codes = play.runsOf(0).map((run) => run.reason?.code ?? "");
  expect(codes.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(["runs_per_day", "stop_step", "stop_step"]);
});

test("L14: the target's clock rings for what the source waited for, once", () => {
  const { play, text, letter } = twoConversations({
    triggers: [{ time: { since: "conversation.waiting_since", for: "10m" } }],
    steps: { tag: { action: "conversation.add_tags", input: { tags: ["waited"] } } },
  });
  play.issue("conversation.merge", { conversation: text, into: letter });
  expect(play.conversation(text).wake_at).toBeNull();
  expect(play.conversation(letter).wake_at).not.toBeNull();
  expect(play.ringNext()).toBe(true);
  expect(play.conversation(letter).tags).toEqual(["waited"]);
  expect(play.runsOf(0)).toHaveLength(1);
  expect(play.shell.world.rows.get(key.conversation(letter))).toMatchObject({ wake_at: null });
});
