import { describe, expect, test } from "vitest";
import { key } from "../domain/keys.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import { commandItem } from "../testing/histories.ts";
import { type MillShell, millShell, publish } from "../testing/mill.ts";
import { actors, ids, testId } from "../testing/settings.ts";
import { stage } from "../testing/stage.ts";
import { conversationRow } from "../testing/world.ts";
import { process } from "./process.ts";
import type { Leftover } from "./types.ts";

const received = { triggers: [{ event: "message.received" }] };
const hold = { hold: { wait: { for: "1h" }, next: "after" }, after: { stop: true } } as const;
const receive = (shell: MillShell, n: number, text = "hi") =>
  commandItem(shell.config.settings, {
    id: testId(n),
    at: `2026-11-20T17:00:0${n % 10}.000Z`,
    type: "message.receive",
    input: { channel: ids.channels.sms, from: `+1415555010${n % 10}`, text },
    actor: actors.channel,
  });

/** A bug: from here on the settings throw where a permission is asked for by whom `who` says, or a channel is looked up. */
function broken(shell: MillShell, patch: Partial<SettingsIndex>): void {
  shell.config = { ...shell.config, settings: { ...shell.config.settings, ...patch } };
}
const bug = (): never => {
  throw new Error("a bug");
};

describe("a bug", () => {
  test("L11: in a command poisons that item alone, which leaves nothing; the others are carried", () => {
    const shell = millShell({ workflows: [publish(1, { ...received, steps: { done: { stop: true } } })] });
    const items = [1, 2, 3].map((n) => receive(shell, n));
    const { channel } = shell.config.settings;
    let calls = 0;
    broken(shell, { channel: (name) => (++calls === 2 ? bug() : channel(name)) });
    shell.feed(items);
    expect(shell.poisoned).toMatchObject([{ item: { id: testId(2) }, error: expect.stringContaining("a bug") }]);
    expect(shell.replies.map((reply) => reply.command)).toEqual([testId(1), testId(3)]);
    expect(shell.receipts.map((receipt) => receipt.id)).toEqual([testId(1), testId(3)]);
    expect(shell.log.every((event) => event.root !== testId(2))).toBe(true);
    expect(shell.runs()).toHaveLength(2);
  });

  test("L8: in a run's step fails that run alone; the command stands", () => {
    const shell = millShell({
      workflows: [
        publish(1, { ...received, steps: { tag: { action: "conversation.add_tags", input: { tags: ["a"] } } } }),
        publish(2, { ...received, steps: { note: { action: "message.note", input: { text: "x" } } } }),
      ],
    });
    const { reach } = shell.config.settings;
    broken(shell, {
      reach: (actor, permission) =>
        actor.kind === "workflow" && actor.id === testId(4001) ? bug() : reach(actor, permission),
    });
    shell.feed([receive(shell, 1)]);
    expect([shell.poisoned, shell.replies.length]).toEqual([[], 1]);
    expect(
      shell
        .runs()
        .map((run) => [run.workflow, run.status, run.reason?.code ?? null])
        .sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1)),
    ).toEqual([
      [testId(4001), "failed", "step_failed"],
      [testId(4002), "finished", null],
    ]);
  });

  test("L8: that throws no error fails its run too, in so many words", () => {
    const shell = millShell({
      workflows: [
        publish(1, { ...received, steps: { tag: { action: "conversation.add_tags", input: { tags: ["a"] } } } }),
      ],
    });
    const { reach } = shell.config.settings;
    broken(shell, {
      reach(actor, permission) {
        if (actor.kind === "workflow") throw "words" as unknown as Error;
        return reach(actor, permission);
      },
    });
    shell.feed([receive(shell, 1)]);
    expect(shell.runs()).toMatchObject([{ status: "failed", reason: { code: "step_failed", message: "words" } }]);
  });

  test("L8: in asking the guards fails that run alone; the command stands", () => {
    const shell = millShell({ workflows: [publish(1, { ...received, steps: { done: { stop: true } } })] });
    const { organization } = shell.config.settings;
    broken(shell, { organization: { ...organization, zone: "Not/AZone" } });
    shell.feed([receive(shell, 1)]);
    expect([shell.poisoned, shell.replies.length]).toEqual([[], 1]);
    expect(shell.runs()).toMatchObject([{ status: "failed", reason: { code: "start_failed" }, steps: [] }]);
  });

  test("L11: in a left-over fails its runs visibly, and what comes after is carried", () => {
    const shell = millShell({
      workflows: [1, 2].map((n) =>
        publish(n, {
          ...received,
          steps: { a: { action: "conversation.add_tags", input: { tags: ["a"] }, next: "b" }, b: { stop: true } },
        }),
      ),
    });
    shell.call([receive(shell, 1)], 2);
    expect(shell.leftover?.queue).toHaveLength(2);
    // it had held something back before it was cut
    const held = {
      reason: { code: "starts", message: "full" },
      count: 7,
      workflows: [],
      event: null,
      depth: 1,
      refs: {},
    };
    shell.leftover = { ...(shell.leftover as Leftover), withheld: held };
    const { organization } = shell.config.settings;
    let looks = 0;
    // the limits are looked at outside of any step
    const limits = {
      ...organization.limits,
      get allowance(): number {
        return ++looks === 1 ? bug() : 1000;
      },
    };
    broken(shell, { organization: { ...organization, limits } });
    shell.feed([receive(shell, 2)]);
    expect(shell.poisoned).toMatchObject([{ item: null }]);
    expect(shell.leftover).toBeNull();
    expect(shell.log.filter((event) => event.type === "run.withheld")).toMatchObject([{ data: { count: 7 } }]);
    const [first, second] = [1, 2].map((n) => shell.runs().filter((run) => run.root === testId(n)));
    expect(first?.map((run) => [run.status, run.reason?.code])).toEqual([
      ["failed", "internal"],
      ["failed", "internal"],
    ]);
    expect(second?.map((run) => run.status)).toEqual(["stopped", "stopped"]);
  });

  test("L11: in a left-over whose runs are not loaded asks for them first", () => {
    const shell = millShell({
      loading: "rows",
      workflows: [
        publish(1, {
          ...received,
          steps: { a: { action: "conversation.add_tags", input: { tags: ["a"] }, next: "b" }, b: { stop: true } },
        }),
      ],
    });
    shell.call([receive(shell, 1)], 2);
    const { organization } = shell.config.settings;
    const limits = {
      ...organization.limits,
      get allowance(): number {
        return bug();
      },
    };
    broken(shell, { organization: { ...organization, limits } });
    shell.feed([]);
    expect(shell.runs()).toMatchObject([{ status: "failed", reason: { code: "internal" } }]);
    expect(shell.poisoned).toHaveLength(1);
  });

  test("L11: in a timer fails its run visibly", () => {
    const play = stage({ workflows: [publish(1, { ...received, steps: hold })] });
    play.receive();
    const { organization } = play.shell.config.settings;
    broken(play.shell, {
      organization: {
        ...organization,
        get limits(): never {
          return bug();
        },
      },
    });
    play.ringNext();
    expect(play.runsOf(1)).toMatchObject([
      { status: "failed", reason: { code: "internal" }, steps: [{ status: "failed" }] },
    ]);
    expect([play.shell.timers(), play.shell.poisoned.length]).toEqual([[], 1]);
  });

  test("L11: in a settled effect fails the run that waits for it, and the effect is dead", () => {
    const play = stage({
      workflows: [
        publish(1, {
          ...received,
          steps: {
            send: { action: "message.send", input: { text: "a" }, await: true },
            after: { stop: true },
          } as never,
        }),
      ],
    });
    play.receive();
    const [effect] = play.shell.effects();
    broken(play.shell, { reach: bug });
    play.settle(effect!.id, { status: "done", output: {} });
    expect(play.runsOf(1)).toMatchObject([{ status: "failed", reason: { code: "internal" } }]);
    expect(play.shell.effects()).toMatchObject([{ status: "dead", last_error: { code: "internal" } }]);
    expect(play.shell.poisoned).toHaveLength(1);
  });

  test("L11: in an effect of nobody, or for a run that went on, kills the effect alone", () => {
    const play = stage({
      workflows: [
        publish(1, {
          ...received,
          steps: {
            send: { action: "message.send", input: { text: "a" }, next: "hold" },
            hold: { wait: { for: "1h" } },
          },
        }),
      ],
    });
    const conversation = play.receive();
    play.issue("message.send", { conversation, text: "by hand" });
    const ids_ = play.shell.effects().map((effect) => effect.id);
    broken(play.shell, { reach: bug });
    for (const id of ids_) play.settle(id, { status: "done", output: {} });
    expect(play.shell.effects().map((effect) => effect.status)).toEqual(["dead", "dead"]);
    expect(play.runsOf(1)).toMatchObject([{ status: "waiting" }]);
  });

  test("L11: that throws no error is told in so many words", () => {
    const shell = millShell();
    broken(shell, {
      channel: () => {
        throw "words" as unknown as Error;
      },
    });
    shell.feed([receive(millShell(), 1)]);
    expect(shell.poisoned).toMatchObject([{ error: "words" }]);
  });

  test("L11: in a wake stops the subject's clock, or it would ring for ever", () => {
    const play = stage();
    const conversation = play.receive();
    play.issue("conversation.snooze", { conversation, until: "2026-11-20T18:00:00.000Z" });
    broken(play.shell, { reach: bug });
    play.ringNext();
    expect(play.conversation(conversation)).toMatchObject({ status: "snoozed", wake_at: null });
    expect(play.shell.poisoned).toMatchObject([{ item: { kind: "wake" } }]);
  });

  test("that strikes twice makes the call fail: the shell looks for the item", () => {
    const shell = millShell();
    const world = {
      leftover: null,
      get(name: string): unknown {
        return name.startsWith("conversations/") ? bug() : shell.world.get(name);
      },
    };
    const wake = {
      kind: "wake",
      at: "2026-11-20T17:00:00.000Z",
      subject: { kind: "conversation", id: testId(1) },
    } as const;
    expect(() => process(ids.organization, [wake], world, shell.config, 100)).toThrow("a bug");
  });

  test("that comes of what is only explored is no poison", () => {
    const shell = millShell();
    const world = {
      leftover: null,
      get: (name: string) => (name === key.address("phone", "+14155550101") ? undefined : shell.world.get(name)),
    };
    const { channel } = shell.config.settings;
    let calls = 0;
    broken(shell, { channel: (name) => (++calls === 2 ? bug() : channel(name)) });
    const items = [1, 2].map((n) => ({ ...receive(millShell(), n) }));
    const output = process(ids.organization, items, world, shell.config, 100);
    expect(output).toMatchObject({
      done: 0,
      poisoned: [],
      replies: [],
      events: [],
      needs: [key.address("phone", "+14155550101")],
    });
    expect(output.writes.size).toBe(0);
  });

  test("of a subject, effect or timer that is gone is kept for a person, and touches nothing", () => {
    const shell = millShell({
      start: {
        conversations: [
          conversationRow({
            id: testId(401),
            customer: testId(301),
            mailbox: ids.mailboxes.support,
            channel: ids.channels.sms,
            address: "+1",
          }),
        ],
      },
    });
    const { get } = shell.world;
    let looks = 0;
    // the first look fails, the second finds nothing
    (shell.world as { get: typeof get }).get = (name) =>
      /^(runs|effects|conversations)\//.test(name) && ++looks % 2 === 1
        ? bug()
        : name.startsWith("conversations/")
          ? null
          : get(name);
    const at = "2026-11-20T17:00:00.000Z";
    shell.feed([
      { kind: "timer", at, run: testId(9), wait: 1 },
      { kind: "settled", at, effect: testId(9), attempt: 0, outcome: { status: "done", output: {} } },
      { kind: "wake", at, subject: { kind: "conversation", id: testId(401) } },
    ]);
    expect(shell.poisoned.map(({ item }) => item?.kind)).toEqual(["timer", "settled", "wake"]);
    expect([...shell.world.rows.keys()].filter((name) => !name.startsWith("conversations/"))).toEqual([]);
  });
});
