import { describe, expect, test } from "vitest";
import { key } from "../domain/keys.ts";
import type { Json } from "../model/common.ts";
import type { Actor } from "../model/event.ts";
import type { KeptItem, Parked } from "../model/parked.ts";
import { commandItem } from "../testing/histories.ts";
import { type MillShell, millShell, publish } from "../testing/mill.ts";
import { actors, ids, testId } from "../testing/settings.ts";
import { conversationRow, customerRow, messageRow } from "../testing/world.ts";

const [kept, ann, talk, sent, effect] = [900, 301, 401, 501, 902].map(testId) as [
  string,
  string,
  string,
  string,
  string,
];
const at = "2026-11-20T17:00:00.000Z";
const message = {
  type: "message.receive",
  actor: actors.channel,
  input: { channel: ids.channels.sms, from: "+14155550101", text: "hi" },
};
const command = (more: object = {}): KeptItem => ({
  kind: "command",
  id: testId(910),
  key: null,
  command: message,
  ...more,
});

const effectRow = (status: string) => ({
  id: effect,
  kind: "message.deliver",
  order_key: talk,
  key: effect,
  payload: { message: sent },
  run: null,
  refs: { customer: ann, conversation: talk, message: sent },
  status,
  due_at: at,
  attempt: 5,
  lease_until: null,
  last_error: { code: "internal", message: "" },
  created_at: at,
});

function shellWith(item: object, more: Partial<Parked> = {}, options: Parameters<typeof millShell>[0] = {}): MillShell {
  const row: Parked = {
    id: kept,
    item: item,
    error: { message: "a bug" },
    at,
    resolved_at: null,
    resolved_by: null,
    resolution: null,
    ...more,
  };
  return millShell({
    ...options,
    start: {
      customers: [customerRow({ id: ann })],
      conversations: [
        conversationRow({
          id: talk,
          customer: ann,
          mailbox: ids.mailboxes.support,
          channel: ids.channels.sms,
          address: "+14155550101",
          status: "snoozed",
          snoozed_until: at,
        }),
      ],
      messages: [
        messageRow({
          id: sent,
          conversation: talk,
          customer: ann,
          channel: ids.channels.sms,
          direction: "outbound",
          delivery: "queued",
        }),
      ],
      more: { [key.parked(kept)]: row, [key.effect(effect)]: effectRow("dead"), ...options.start?.more },
    },
  });
}

let asked = 0;
/** Asks for something; gives the answer. */
function ask(
  shell: MillShell,
  type: string,
  input: { readonly [name: string]: Json } = { parked: kept },
  actor: Actor = actors.admin,
) {
  const item = { id: testId(1000 + (asked += 1)), at: "2026-11-20T17:00:05.000Z", type, input, actor };
  shell.feed([commandItem(shell.config.settings, item)]);
  return shell.replies.at(-1)?.answer;
}
const row = (shell: MillShell) => shell.world.rows.get(key.parked(kept)) as Parked;

describe("an item that waits for a person", () => {
  test("L11: is done after all, once, as whoever asked first, and starts what it would have", () => {
    const shell = shellWith(
      command(),
      {},
      {
        workflows: [
          publish(1, {
            triggers: [{ event: "message.received" }],
            steps: { tag: { action: "conversation.add_tags", input: { tags: ["seen"] } } },
          }),
        ],
      },
    );
    const answer = ask(shell, "parked.retry");
    expect(answer).toMatchObject({ ok: true, result: { parked: kept, changed: true, message: expect.any(String) } });
    expect(shell.log.find((event) => event.type === "message.received")?.actor).toEqual(actors.channel);
    expect(shell.runs()).toMatchObject([{ status: "finished" }]);
    expect(row(shell)).toMatchObject({
      resolved_at: "2026-11-20T17:00:05.000Z",
      resolved_by: actors.admin.id,
      resolution: "retried",
    });
    expect(shell.receipts.map((receipt) => receipt.id)).toContain(testId(910));
    const events = shell.log.length;
    expect(ask(shell, "parked.retry")).toMatchObject({ ok: false, code: "parked_resolved" });
    expect(shell.log).toHaveLength(events);
  });

  test("answers its first caller's key from then on", () => {
    const shell = shellWith(command({ key: "k", fingerprint: "f" }));
    ask(shell, "parked.retry");
    const { id } = row(shell);
    const again = { id: testId(950), at, key: "k", fingerprint: "f", ...message };
    const events = shell.log.length;
    shell.feed([commandItem(shell.config.settings, again)]);
    expect(shell.replies.at(-1)).toMatchObject({ repeated: true, first: testId(910), answer: { ok: true } });
    expect([id, shell.log.length]).toEqual([kept, events]);
  });

  test("L11: whose caller came again meanwhile is not done a second time", () => {
    const known = { id: testId(911), key: "k", fingerprint: null, answer: { ok: true, result: { message: sent } }, at };
    const shell = shellWith(command({ key: "k" }), {}, { start: { more: { [key.receipt("k")]: known } } });
    expect(ask(shell, "parked.retry")).toMatchObject({ ok: true, result: { message: sent, parked: kept } });
    expect(shell.log).toEqual([]);
    expect(row(shell).resolution).toBe("retried");
  });

  test("L11: whose key was used for another request meanwhile is not answered with that one's answer, and goes on waiting", () => {
    const known = { id: testId(911), key: "k", fingerprint: "f2", answer: { ok: true, result: { message: sent } }, at };
    const shell = shellWith(
      command({ key: "k", fingerprint: "f1" }),
      {},
      { start: { more: { [key.receipt("k")]: known } } },
    );
    expect(ask(shell, "parked.retry")).toMatchObject({ ok: false, code: "idempotency_key_reused" });
    expect([row(shell).resolved_at, shell.log]).toEqual([null, []]);
  });

  test.each<[string, object, Partial<Parked>, string]>([
    [
      "what is refused",
      command({ command: { ...message, type: "message.note", input: { conversation: testId(499), text: "x" } } }),
      {},
      "conversation_not_found",
    ],
    ["what does not fit any more", command({ command: { ...message, input: { text: "x" } } }), {}, "invalid_input"],
    ["a timer", { kind: "timer", run: testId(701), wait: 1 }, {}, "parked_over"],
    ["a left-over", {}, {}, "parked_over"],
    ["what was erased", { erased: true }, { resolved_at: at }, "customer_erased"],
    [
      "an outcome of an effect that is gone",
      { kind: "settled", effect: testId(999), attempt: 1, outcome: { status: "done", output: {} } },
      {},
      "effect_not_found",
    ],
  ])("goes on waiting: %s", (_name, item, more, code) => {
    const shell = shellWith(item, more);
    const before = row(shell);
    expect(ask(shell, "parked.retry")).toMatchObject({ ok: false, code });
    expect([row(shell), shell.log, shell.receipts.length]).toEqual([before, [], 1]);
  });

  test("of an effect's outcome: the world hears of it, without asking outside again", () => {
    const settled = {
      kind: "settled",
      effect,
      attempt: 3,
      outcome: { status: "done", output: { provider_id: "SM1" } },
    };
    const shell = shellWith(settled);
    expect(ask(shell, "parked.retry")).toMatchObject({ ok: true, result: { effect, parked: kept } });
    expect(shell.world.rows.get(key.message(sent))).toMatchObject({ delivery: "sent", provider_id: "SM1" });
    expect(shell.effects()).toEqual([]);
    const under = shellWith(settled, {}, { start: { more: { [key.effect(effect)]: effectRow("due") } } });
    expect(ask(under, "parked.retry")).toMatchObject({ ok: false, code: "effect_under_way" });
  });

  test.each([
    { kind: "wake", at, subject: { kind: "conversation", id: talk } },
    { kind: "wake", table: "conversations", id: talk },
  ])("of a clock: it is looked at again", (item) => {
    const shell = shellWith(item);
    expect(ask(shell, "parked.retry")).toMatchObject({ ok: true, result: { conversation: talk } });
    expect(shell.log.map((event) => event.type)).toContain("conversation.reopened");
    const customer = shellWith({ kind: "wake", table: "customers", id: ann });
    expect(ask(customer, "parked.retry")).toMatchObject({ ok: true, result: { customer: ann } });
  });

  test("can be marked as seen to, by those who may", () => {
    const shell = shellWith(command());
    expect(ask(shell, "parked.resolve", { parked: kept }, actors.agent)).toMatchObject({ kind: "forbidden" });
    expect(ask(shell, "parked.resolve")).toEqual({ ok: true, result: { parked: kept, changed: true } });
    expect(row(shell)).toMatchObject({ resolution: "resolved", resolved_by: actors.admin.id });
    expect(ask(shell, "parked.resolve")).toEqual({ ok: true, result: { parked: kept, changed: false } });
    expect(ask(shell, "parked.retry")).toMatchObject({ code: "parked_resolved" });
    for (const type of ["parked.resolve", "parked.retry"])
      expect(ask(shell, type, { parked: testId(998) })).toMatchObject({ ok: false, code: "parked_not_found" });
    const system = shellWith(command());
    ask(system, "parked.resolve", { parked: kept }, actors.system);
    expect(row(system).resolved_by).toBeNull();
  });
});
