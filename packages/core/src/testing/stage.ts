import type { Item } from "../mill/types.ts";
import type { Accepted, Refusal } from "../model/command.ts";
import type { Id, Json } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Outcome } from "../model/effect.ts";
import type { Actor } from "../model/event.ts";
import type { Run } from "../model/run.ts";
import { addMs } from "../time/instant.ts";
import { beginning, commandItem } from "./histories.ts";
import { millShell, type MillOptions, type MillShell } from "./mill.ts";
import { actors, ids, testId } from "./settings.ts";
import { tableOf } from "./world.ts";

type Input = { readonly [name: string]: Json };

/** A shell with a clock and a customer who writes: what a test of one thing needs. */
export interface Stage {
  readonly shell: MillShell;
  /** every item that was given, in order */
  readonly items: readonly Item[];
  readonly now: () => string;
  pass(ms: number): void;
  /** Decides a command and drives it to quiet. */
  issue(
    type: string,
    input: Input,
    more?: { readonly actor?: Actor; readonly key?: string; readonly id?: Id },
  ): Accepted | Refusal;
  /** The customer writes by SMS; answers the conversation. */
  receive(text?: string): Id;
  /** Delivers the timers and wakes that are due by now. */
  ring(): void;
  /** Lets the time pass to the next timer or wake, and delivers it. False when there is none. */
  ringNext(): boolean;
  settle(effect: Id, outcome: Outcome, attempt?: number): void;
  give(item: Item): void;
  conversation(id: Id): ConversationRow;
  customer(id: Id): CustomerRow;
  /** The runs of a workflow, by its number, in the order of their ids. */
  runsOf(n: number): readonly Run[];
}

export function stage(options: MillOptions = {}): Stage {
  const shell = millShell(options);
  let at = beginning;
  // a stage that goes on from another's rows must not give out the same ids again
  let count = shell.world.rows.size * 100;
  const wakes = () =>
    [
      ...tableOf<ConversationRow>(shell.world.rows, "conversations"),
      ...tableOf<CustomerRow>(shell.world.rows, "customers"),
    ].filter((row) => row.wake_at !== null);
  const items: Item[] = [];
  const self: Stage = {
    shell,
    items,
    now: () => at,
    pass(ms) {
      at = addMs(at, ms);
    },
    issue(type, input, { actor = actors.admin, key, id = testId(10_000 + ++count) } = {}) {
      self.give(commandItem(shell.config.settings, { id, at, type, input, actor, ...(key !== undefined && { key }) }));
      return (shell.replies.at(-1) as { answer: Accepted | Refusal }).answer;
    },
    receive(text = "hello") {
      const answer = self.issue(
        "message.receive",
        { channel: ids.channels.sms, from: "+14155550101", text },
        { actor: actors.channel },
      );
      return (answer as Accepted).result["conversation"] as Id;
    },
    ring() {
      for (const timer of shell.timers().filter((each) => each.due_at <= at))
        self.give({ kind: "timer", at, run: timer.run, wait: timer.wait });
      for (const row of wakes().filter((each) => (each.wake_at as string) <= at)) {
        self.give({ kind: "wake", at, subject: { kind: "customer" in row ? "conversation" : "customer", id: row.id } });
      }
    },
    ringNext() {
      const [next] = [
        ...shell.timers().map((timer) => timer.due_at),
        ...wakes().map((row) => row.wake_at as string),
      ].sort();
      if (next === undefined) return false;
      if (next > at) at = next;
      self.ring();
      return true;
    },
    settle(effect, outcome, attempt = 0) {
      self.give({ kind: "settled", at, effect, attempt, outcome });
    },
    give(item) {
      items.push(item);
      shell.feed([item]);
    },
    conversation: (id) => shell.world.rows.get(`conversations/${id}`) as ConversationRow,
    customer: (id) => shell.world.rows.get(`customers/${id}`) as CustomerRow,
    runsOf: (n) => shell.runs().filter((run) => run.workflow === testId(4000 + n)),
  };
  return self;
}
