import { afterAll, beforeAll, expect, test } from "vitest";
import {
  brokenInvariants,
  command,
  type Home,
  incoming,
  phone,
  resultOf,
  testLanes,
  type TestEngine,
  type TestLanes,
} from "./test-lanes.ts";

let lanes: TestLanes;
let engine: TestEngine;
beforeAll(async () => {
  lanes = await testLanes();
  engine = lanes.engine();
});
afterAll(() => lanes.close());

const text = async (home: Home) => resultOf(await engine.submit(incoming(home, phone(1), "by SMS")));
const call = async (home: Home) =>
  resultOf(await engine.submit(incoming(home, "visitor-1", "by API", { input: { channel: home.channels.api } })));
const issue = async (home: Home, type: string, input: object) =>
  resultOf(await engine.submit(command(home, type, input)));
const messages = (home: Home) =>
  lanes.rows<{ conversation: string; channel: string; address: string | null; direction: string }>(
    "select conversation, channel, address, direction from messages where organization = $1 order by seq",
    [home.id],
  );

/** One person on two channels, who was two customers with a conversation each. */
async function onePerson() {
  const home = await lanes.organization();
  const bySms = await text(home);
  const byApi = await call(home);
  await issue(home, "customer.merge", { customer: bySms["customer"], into: byApi["customer"] });
  return { home, sms: bySms["conversation"], api: byApi["conversation"], customer: byApi["customer"] };
}

test("a merged conversation is found on the channels of both, batch after batch, and answered where the customer wrote", async () => {
  for (const [from, into] of [
    ["sms", "api"],
    ["api", "sms"],
  ] as const) {
    const { home, ...one } = await onePerson();
    await issue(home, "conversation.merge", { conversation: one[from], into: one[into] });
    for (const [write, channel, address] of [
      [text, "sms", phone(1)],
      [call, "api", "visitor-1"],
      [text, "sms", phone(1)],
    ] as const) {
      expect(await write(home)).toMatchObject({ conversation: one[into], customer: one.customer });
      await issue(home, "message.send", { conversation: one[into], text: "yes" });
      const sent = (await messages(home)).at(-1);
      expect(sent).toEqual({
        conversation: one[into],
        channel: home.channels[channel],
        address,
        direction: "outbound",
      });
      const effects = await lanes.rows<{ payload: object }>(
        "select payload from effects where organization = $1 order by created_at desc, ordinal desc limit 1",
        [home.id],
      );
      expect(effects[0]?.payload).toMatchObject({ channel: home.channels[channel], to: address });
    }
  }
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
});

test("an answer to a message on another channel comes to the conversation that it was sent from", async () => {
  const { home, sms, api } = await onePerson();
  await issue(home, "conversation.close", { conversation: sms });
  await issue(home, "message.send", { conversation: api, channel: "sms", text: "we try your telephone" });
  expect(await text(home)).toMatchObject({ conversation: api });
  const [row] = await lanes.rows("select channel, address, other_channels from conversations where id = $1", [api]);
  expect(row).toEqual({
    channel: home.channels.sms,
    address: phone(1),
    other_channels: { [home.channels.api]: "visitor-1" },
  });
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
});

test("what waits for a merged customer and a merged conversation goes on with the target", async () => {
  const home = await lanes.organization();
  const { workflow } = await lanes.publish(home, {
    kind: "manual",
    start: "hold",
    steps: {
      hold: { wait: { for: "1h", unless: "message.received" }, next: "late", onInterrupt: "heard" },
      late: { action: "customer.add_tags", input: { tags: ["late"] } },
      heard: { action: "customer.add_tags", input: { tags: ["heard"] } },
    },
  });
  const bySms = await text(home);
  const byApi = await call(home);
  await issue(home, "run.start", { workflow, customer: bySms["customer"] });
  await issue(home, "run.start", { workflow, conversation: bySms["conversation"] });
  await issue(home, "customer.merge", { customer: bySms["customer"], into: byApi["customer"] });
  await issue(home, "conversation.merge", { conversation: bySms["conversation"], into: byApi["conversation"] });
  const waiting = await lanes.rows<{ subject: string }>(
    "select subject from runs where organization = $1 order by subject_kind",
    [home.id],
  );
  expect(waiting.map((row) => row.subject)).toEqual([byApi["conversation"], byApi["customer"]]);
  await call(home);
  const [customer] = await lanes.rows<{ tags: string[] }>("select tags from customers where id = $1", [
    byApi["customer"],
  ]);
  expect(customer?.tags).toEqual(["heard"]);
  expect(await lanes.rows("select from runs where organization = $1", [home.id])).toEqual([]);
  expect(await lanes.rows("select from timers where organization = $1", [home.id])).toEqual([]);
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
});
