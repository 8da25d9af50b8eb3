import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Delivery, Message } from "../../model/message.ts";
import { scene } from "../../testing/scene.ts";
import { ids, sampleIndex, testId } from "../../testing/settings.ts";
import { conversationRow, customerRow, memoryWorld, messageRow } from "../../testing/world.ts";
import { key } from "../keys.ts";

const [customer, conversation, message] = [301, 401, 601].map(testId) as [string, string, string];
const place = { mailbox: ids.mailboxes.support, channel: ids.channels.sms, address: "+14155550101" };

interface News {
  readonly delivery: Delivery;
  readonly provider_id?: string;
}

/** What a message is after some news of it, one after the other, from the moment when it was handed over. */
function after(news: readonly News[]): Pick<Message, "delivery" | "provider_id"> {
  const stage = scene({
    world: memoryWorld({
      customers: [customerRow({ id: customer, phone: "+14155550101", open_conversations: 1, state: "replied" })],
      conversations: [conversationRow({ id: conversation, customer, ...place })],
      messages: [
        messageRow({
          id: message,
          conversation,
          customer,
          channel: place.channel,
          direction: "outbound",
          delivery: "queued",
        }),
      ],
    }),
    settings: sampleIndex(),
  });
  for (const each of news)
    expect(stage.issue("message.record_delivery", { message, ...each }).answer).toMatchObject({ ok: true });
  return stage.ledger.peek(key.message(message)) as Message;
}

/** How far each word of news is; failing is further than being sent, and a receipt further than failing. */
const order: readonly Delivery[] = ["queued", "held", "sent", "failed", "delivered", "read"];
const furthest = (news: readonly News[]): Delivery =>
  order[Math.max(0, ...news.map(({ delivery }) => order.indexOf(delivery)))] as Delivery;

const told = fc.constantFrom<Delivery>("sent", "failed", "delivered", "read");
/** The settlement of our own call: it knows the provider's id when the call was answered, and none when it was not. */
const settlement = fc.constantFrom<News>({ delivery: "sent", provider_id: "A" }, { delivery: "held" });

describe("news of a delivery", () => {
  test("may overtake our own settlement and come in any order: the furthest point counts", () => {
    const history = fc.tuple(fc.array(told, { maxLength: 5 }), settlement, fc.nat(5)).map(([words, own, at]) => {
      const callbacks: News[] = words.map((delivery) => ({ delivery, provider_id: "A" }));
      return callbacks.toSpliced(Math.min(at, callbacks.length), 0, own);
    });
    fc.assert(
      fc.property(history, (news) => {
        expect(after(news).delivery).toBe(furthest(news));
        expect(after(news.toReversed()).delivery).toBe(furthest(news));
        if (news.some((each) => each.provider_id === "A")) expect(after(news).provider_id).toBe("A");
      }),
    );
  });

  test("of a former attempt that failed does not touch the one that the message goes by", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<Delivery>("failed", "held"), { minLength: 1, maxLength: 3 }), (words) => {
        const late: News[] = words.map((delivery) => ({ delivery, provider_id: "A" }));
        const second: News = { delivery: "sent", provider_id: "B" };
        expect(after([...late, second, ...late])).toMatchObject({ delivery: "sent", provider_id: "B" });
        expect(after([{ delivery: "failed" }, second, ...late])).toMatchObject({ delivery: "sent", provider_id: "B" });
      }),
    );
  });

  test("of a former attempt that got through after all counts", () => {
    const news: News[] = [
      { delivery: "sent", provider_id: "B" },
      { delivery: "delivered", provider_id: "A" },
      { delivery: "failed", provider_id: "B" },
    ];
    expect(after(news)).toMatchObject({ delivery: "delivered", provider_id: "A" });
  });
});
