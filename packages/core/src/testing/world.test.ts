import { describe, expect, test } from "vitest";
import { key } from "../domain/keys.ts";
import type { Run } from "../model/run.ts";
import { ids, testId } from "./settings.ts";
import { conversationRow, customerRow, memoryWorld, messageRow, standsFor } from "./world.ts";

const [ann, old, older] = [1, 2, 3].map(testId) as [string, string, string];
const place = { mailbox: ids.mailboxes.support, channel: ids.channels.sms, address: "+1" };
const world = () =>
  memoryWorld({
    customers: [
      customerRow({ id: ann, phone: "+1" }),
      customerRow({ id: old, phone: "+2", merged_into: ann }),
      customerRow({ id: older, merged_into: old }),
    ],
    conversations: [
      conversationRow({ id: testId(12), customer: older, ...place, assignee: ids.users.ben }),
      conversationRow({ id: testId(11), customer: ann, ...place, status: "pending", assignee: ids.users.ben }),
      conversationRow({
        id: testId(13),
        customer: ann,
        ...place,
        status: "closed",
        assignee: ids.users.ben,
        channel: ids.channels.email,
      }),
    ],
    messages: [20, 21].map((n) =>
      messageRow({
        id: testId(n),
        conversation: testId(11),
        customer: ann,
        channel: place.channel,
        direction: "inbound",
        provider_id: "a/b",
      }),
    ),
    runs: [
      { id: "r2", subject: ann, status: "waiting" },
      { id: "r1", subject: ann, status: "waiting" },
      { id: "r3", subject: ann, status: "queued" },
    ] as Run[],
    more: { [key.receipt("k")]: { id: "c" } },
  });

describe("a world in memory", () => {
  test("knows what is absent", () => {
    expect(world().get(key.customer(testId(99)))).toBeNull();
    expect(world().get(key.version("v"))).toBeNull();
    expect(world().get(key.receipt("k"))).toEqual({ id: "c" });
    expect(world().get(key.sender(place.channel, "phone", "+1"))).toBeNull();
    expect(() => world().get("nonsense/x")).toThrow("no such table: nonsense");
  });

  test("has the addresses and loads that follow from its rows", () => {
    expect(world().get(key.address("phone", "+1"))).toEqual({ customer: ann });
    expect(world().get(key.address("phone", "+2"))).toBeNull();
    expect(world().get(key.load(ids.users.ben))).toEqual({ user_id: ids.users.ben, open: 2 });
  });

  test("computes its views, a merged customer's rows among those of whom it stands for", () => {
    expect(world().get(key.open(ann))).toEqual([testId(11), testId(12)]);
    expect(world().get(key.open(old))).toEqual([]);
    expect(world().get(key.latest(ann, place.channel))).toEqual({ id: testId(12) });
    expect(world().get(key.latest(ann, ids.channels.chat))).toBeNull();
    expect(world().get(key.provider(place.channel, "a/b"))).toEqual({ id: testId(21) });
    expect(world().get(key.provider(place.channel, "c"))).toBeNull();
    expect(world().get(key.waiting(ann))).toEqual(["r1", "r2"]);
    expect(standsFor(world().rows, older)).toBe(ann);
  });

  test("takes in what a batch wrote", () => {
    const changed = world();
    changed.write(
      new Map<string, unknown>([
        [key.customer(ann), null],
        [key.load(ids.users.ben), { open: 7 }],
      ]),
    );
    expect(changed.get(key.customer(ann))).toBeNull();
    expect(changed.get(key.load(ids.users.ben))).toEqual({ open: 7 });
  });
});
