import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Attempt, type Delivery, type ProviderKind, textOnly } from "../channels/provider.ts";
import { recorder } from "../channels/recorder/recorder.ts";
import { createRegistry } from "../channels/registry.ts";
import { type Home, testLanes, type TestLanes } from "../lanes/test-lanes.ts";
import { openSecretBox } from "../secrets/secret-box.ts";
import type { Claimed } from "./claim.ts";
import { createDeliverer } from "./deliver.ts";
import type { Performed } from "./performer.ts";

let lanes: TestLanes;
let home: Home;
let other: Home;
beforeAll(async () => {
  lanes = await testLanes();
  [home, other] = [await lanes.organization(), await lanes.organization()];
  // the deliveries of this test stand in no table, where workers note what they begin under the policy of holding
  await lanes.rows("update channels set on_unknown = 'retry'");
});
afterAll(() => lanes.close());

const message = "01890000-0000-7000-8000-000000000001";
let keys = 0;
const claimed = (payload: object = {}, of = home, more: Partial<Claimed> = {}): Claimed => ({
  ...of.place,
  id: message,
  kind: "message.deliver",
  order_key: "o",
  key: `key-${(keys += 1)}`,
  payload: { message, channel: of.channels.sms, to: "+14155550101", text: `text ${keys}`, media: [], ...payload },
  run: null,
  refs: {},
  due_at: "2026-01-01T00:00:00.000Z",
  created_at: "2026-01-01T00:00:00.000Z",
  attempt: 1,
  lost: false,
  ...more,
});

const calls: { readonly way: "one" | "all"; readonly texts: readonly string[] }[] = [];
const textsOf = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ text }) => text);
const answerTo = ({ text }: Delivery): Attempt =>
  text === "bad"
    ? { status: "failed", error: { code: "refused", message: "no" } }
    : { status: "done", output: { provider_id: `P ${text}` } };
const one: ProviderKind = {
  ...recorder,
  name: "one",
  serves: { sms: textOnly },
  keys: false,
  open: () => ({
    deliver: async (delivery) => {
      calls.push({ way: "one", texts: [delivery.text] });
      return answerTo(delivery);
    },
  }),
};
const several: ProviderKind = {
  ...one,
  name: "several",
  open: (ports) => ({
    ...one.open(ports),
    deliverAll: async (deliveries) => {
      calls.push({ way: "all", texts: textsOf(deliveries) });
      return deliveries.map(answerTo);
    },
  }),
};
const deliverer = (registry = createRegistry([recorder, one, several])) =>
  createDeliverer({
    pool: lanes.pool,
    outside: { send: () => Promise.reject(new Error("nothing of this test goes outside")) },
    registry,
    secretBox: openSecretBox(new Uint8Array(32)),
    publicUrl: "https://threadmill.test",
  });
const use = (provider: string, of = home) =>
  lanes.rows("update channels set provider = $2 where id = $1", [of.channels.sms, provider]);
/** What became of some, in their order, however they were divided into calls. */
const deliverAll = async (effects: readonly Claimed[], by = deliverer()) => {
  const became = new Map<Claimed, PromiseSettledResult<Performed>>();
  for (const call of await by.callsFor(effects))
    for (const [n, result] of (await call.make()).entries()) became.set(call.effects[n] as Claimed, result);
  return effects.map((each) => became.get(each) as PromiseSettledResult<Performed>);
};
/** The attempts of several, none of which met a fault. */
const attemptsOf = async (effects: readonly Claimed[]) =>
  (await deliverAll(effects)).map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
const deliver = async (effect: Claimed) => (await attemptsOf([effect]))[0];
const recorded = () =>
  lanes.rows(
    "select organization, key, recipient, text, media, extras from recorded_deliveries order by recorded_at, text",
  );

beforeEach(async () => {
  calls.length = 0;
  await use("recorder");
  await use("recorder", other);
  await lanes.rows("truncate recorded_deliveries");
});

test("under the policy of holding, what another worker took over meanwhile does not go out", async () => {
  await use("several");
  await lanes.rows("update channels set on_unknown = 'hold' where id = $1", [home.channels.sms]);
  expect(await attemptsOf([claimed(), claimed()])).toMatchObject([
    { status: "retry", error: { code: "taken_over" } },
    { status: "retry", error: { code: "taken_over" } },
  ]);
  expect(calls).toEqual([]);
  await lanes.rows("update channels set on_unknown = 'retry'");
});

test("several at once go together where the provider can take them so, and each gets its own answer", async () => {
  await use("several");
  await use("one", other);
  const effects = [
    claimed({ text: "a" }),
    claimed({ text: "b" }, other),
    claimed({ text: "bad" }),
    claimed({ channel: message }),
    claimed({ text: "c" }, other),
    claimed({ text: "d" }),
  ];
  const attempts = await attemptsOf(effects);
  expect(attempts.map((each) => (each.status === "done" ? each.output["provider_id"] : each.error.code))).toEqual([
    "P a",
    "P b",
    "refused",
    "channel_not_found",
    "P c",
    "P d",
  ]);
  expect(calls).toEqual([
    { way: "all", texts: ["a", "bad", "d"] },
    { way: "one", texts: ["b"] },
    { way: "one", texts: ["c"] },
  ]);
  // one alone goes the simple way
  await deliver(claimed({ text: "e" }));
  expect(calls.at(-1)).toEqual({ way: "one", texts: ["e"] });
  expect(await deliverer().callsFor([])).toEqual([]);
});

test("the recorder keeps several with one statement, of any organization, and each key once", async () => {
  const effects = [
    claimed({ text: "a" }),
    claimed({ text: "b", media: [{ url: "https://a.example/1.png" }] }, other),
    claimed({ text: "c", subject: "S", html: "<p>c</p>", thread: { in_reply_to: "<m@a.example>" } }),
  ];
  const attempts = await attemptsOf(effects);
  expect(attempts).toEqual(
    effects.map(({ key }) => ({ status: "done", output: { provider_id: `rec_${key}` }, policy: "retry" })),
  );
  const kept = [
    { organization: home.id, text: "a", media: [], extras: null, recipient: "+14155550101" },
    { organization: other.id, text: "b", media: [{ url: "https://a.example/1.png" }], extras: null },
    {
      organization: home.id,
      text: "c",
      extras: { subject: "S", html: "<p>c</p>", thread: { in_reply_to: "<m@a.example>" } },
    },
  ];
  expect(await recorded()).toMatchObject(kept);
  await deliverAll(effects.map((each) => ({ ...each, payload: { ...each.payload, text: "other" } })));
  expect(await recorded()).toMatchObject(kept);
});

test.each([
  [{ to: "" }, "/to"],
  [{ media: null }, "/media"],
  [{ subject: "a\r\nBcc: b@example.com" }, "/subject"],
  [{ headers: [{ name: "X A", value: "1" }] }, "/headers/0/name"],
  [{ headers: [{ name: "X-A", value: "1\nX-B: 2" }] }, "/headers/0/value"],
  [{ attachments: [{ name: "a.png", content_type: "image/png", url: "file:///etc/passwd" }] }, "/attachments/0/url"],
  [{ thread: { references: ["<a>\r\n<b>"] } }, "/thread/references/0"],
])("a delivery that is not as it must be is refused by the place: %j", async (payload, place) => {
  const attempt = await deliver(claimed(payload));
  expect(attempt).toEqual({
    status: "failed",
    error: { code: "delivery_malformed", message: `The delivery's ${place} is not as it must be` },
  });
  expect(await recorded()).toEqual([]);
});

test("what a provider cannot carry is not left out in silence", async () => {
  await use("one");
  expect(await deliver(claimed({ subject: "S" }))).toMatchObject({
    status: "failed",
    error: { code: "subject_not_supported" },
  });
  expect(calls).toEqual([]);
});

test("a fault in one provider is that of its deliveries alone", async () => {
  const broken: ProviderKind = { ...one, open: () => ({ deliver: () => Promise.reject(new Error("bug")) }) };
  const withBroken = deliverer(createRegistry([recorder, broken, several]));
  await use("one");
  await use("several", other);
  const effects = [claimed(), claimed({ text: "a" }, other), claimed({ text: "b" }, other)];
  const results = await deliverAll(effects, withBroken);
  expect(results).toMatchObject([
    { status: "rejected", reason: { message: "bug" } },
    { status: "fulfilled", value: { status: "done", output: { provider_id: "P a" } } },
    { status: "fulfilled", value: { status: "done", output: { provider_id: "P b" } } },
  ]);
});
