import { describe, expect, test } from "vitest";
import type { Json } from "../../model/common.ts";
import { messageDefaults } from "../../model/message.ts";
import { ids, testId } from "../../testing/settings.ts";
import { scene } from "../../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld } from "../../testing/world.ts";
import { key } from "../keys.ts";

const [gone, talk, other, sent] = [304, 404, 405, 504].map(testId) as [string, string, string, string];
const at = "2026-10-01T00:00:00.000Z";

const stage = () => {
  const world = memoryWorld({
    customers: [customerRow({ id: gone, erased_at: at })],
    conversations: [talk, other].map((id) =>
      conversationRow({
        id,
        customer: gone,
        mailbox: ids.mailboxes.support,
        channel: ids.channels.sms,
        address: "",
        tags: ["left"],
      }),
    ),
  });
  world.rows.set(key.message(sent), {
    ...messageDefaults,
    id: sent,
    conversation: talk,
    customer: gone,
    channel: ids.channels.sms,
    direction: "outbound",
    delivery: "queued",
    created_at: at,
    updated_at: at,
  });
  return scene({ world });
};

describe("of an erased customer", () => {
  test.each<[string, Record<string, Json>]>([
    ["conversation.set_topic", { conversation: talk, topic: "Zebulon" }],
    ["conversation.add_tags", { conversation: talk, tags: ["zebulon"] }],
    ["conversation.remove_tags", { conversation: talk, tags: ["left"] }],
    ["conversation.set_property", { conversation: talk, name: "called", value: "Zebulon" }],
    ["conversation.merge", { conversation: talk, into: other }],
    ["message.note", { conversation: talk, text: "Zebulon called" }],
    ["message.send", { conversation: talk, text: "Hello Zebulon" }],
    ["message.tag", { message: sent, tags: ["zebulon"] }],
    ["customer.set_property", { customer: gone, name: "called", value: "Zebulon" }],
  ])("no words are taken by %s", (type, input) => {
    expect(stage().issue(type, input)).toMatchObject({ answer: { code: "customer_erased" }, events: [] });
  });

  test("what is no word may still change", () => {
    expect(stage().issue("conversation.close", { conversation: talk }).answer).toMatchObject({ ok: true });
  });

  test("news of a delivery leaves its state, and nothing of others' words", () => {
    const set = stage();
    const news = { message: sent, delivery: "failed", error: "no route to Zebulon", provider_id: "wamid.zebulon" };
    const { answer, events } = set.issue("message.record_delivery", news);
    expect(answer).toMatchObject({ ok: true, result: { delivery: "failed" } });
    expect(set.ledger.get(key.message(sent))).toMatchObject({
      delivery: "failed",
      delivery_error: null,
      provider_id: null,
    });
    expect(JSON.stringify(events)).not.toMatch(/zebulon/i);
  });
});

test("the job that blanks the rest is told every address, as what waits for a person may name no id", () => {
  const set = scene({
    world: memoryWorld({
      customers: [
        customerRow({
          id: gone,
          phone: "+14155550101",
          email: "z@example.com",
          external_id: "e-1",
          handles: ["chat:z"],
          merged_into: other,
        }),
        customerRow({ id: other, phone: "+14155550102" }),
      ],
    }),
  });
  const addresses = ["phone:+14155550101", "email:z@example.com", "external:e-1", "chat:z", "phone:+14155550102"];
  expect(set.issue("customer.erase", { customer: gone }).effects.map((effect) => effect.payload)).toEqual([
    { customer: gone, addresses },
    { customer: other, addresses },
  ]);
});
