import { afterAll, beforeAll, expect, test } from "vitest";
import type { Submitted } from "./port.ts";
import {
  brokenInvariants,
  command,
  type Home,
  incoming,
  phone,
  testLanes,
  type TestEngine,
  type TestLanes,
} from "./test-lanes.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

/** Numbers that look random and are the same in every run of a seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** What a caller knows so far; it names things that it was told of. */
interface Known {
  readonly customers: string[];
  readonly conversations: string[];
  readonly messages: string[];
}

const seeds = [1, 20_261_120];

test.each(seeds)(
  "three engines and two organizations in one lane: everything once, in order, nobody sees another's (seed %i)",
  async (seed) => {
    const random = seeded(seed);
    const lane = 500 + (seed % 100);
    const homes = [await lanes.organization({ lane }), await lanes.organization({ lane })];
    for (const home of homes) {
      await lanes.publish(home, {
        triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: "refund" } }],
        start: "tag",
        steps: {
          tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "assign" },
          assign: { action: "conversation.assign", input: { user: home.owner }, next: "hold" },
          hold: { wait: { for: "2h", unless: "message.received" }, next: "close" },
          close: { action: "conversation.close" },
        },
      });
    }
    const engines = [lanes.engine(), lanes.engine({ slice: 7 }), lanes.engine()];
    const known = new Map<Home, Known>(homes.map((home) => [home, { customers: [], conversations: [], messages: [] }]));
    const told: { readonly home: Home; readonly answer: Submitted }[] = [];
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];

    const next = (home: Home): Parameters<TestEngine["submit"]>[0] => {
      const { customers, conversations, messages } = known.get(home) as Known;
      const conversation = pick(conversations);
      const customer = pick(customers);
      const other = pick(customers);
      const roll = random();
      if (conversation === undefined || customer === undefined || roll < 0.35) {
        const keyed = random() < 0.2 ? { key: `key-${Math.floor(random() * 10)}` } : {};
        const provider = random() < 0.3 ? { provider_id: `SM${Math.floor(random() * 30)}` } : {};
        const n = Math.floor(random() * 12);
        const elsewhere = random() < 0.3;
        return incoming(home, elsewhere ? `visitor-${n}` : phone(n), random() < 0.4 ? "a refund 💶" : "hello", {
          ...keyed,
          input: { ...provider, ...(elsewhere && { channel: home.channels.api }) },
        });
      }
      const does: readonly [string, object][] = [
        ["conversation.close", { conversation }],
        ["conversation.open", { conversation }],
        ["conversation.snooze", { conversation, until: new Date(Date.now() + 3_600_000).toISOString() }],
        ["conversation.assign", { conversation, user: home.owner }],
        ["conversation.unassign", { conversation }],
        ["conversation.add_tags", { conversation, tags: [`t${Math.floor(random() * 5)}`] }],
        ["message.send", { conversation, text: "answer" }],
        ["message.send", { conversation, channel: pick(["sms", "api"]), text: "answer" }],
        ["message.note", { conversation, text: "note" }],
        ["customer.close", { customer }],
        ["customer.merge", { customer, into: other }],
        ["customer.upsert", { customer, email: `c${Math.floor(random() * 8)}@example.com` }],
        ["conversation.merge", { conversation, into: pick(conversations) }],
        ["message.tag", { message: pick(messages), tags: ["x"] }],
        ["user.set_presence", { user: home.owner, status: pick(["online", "away"]) }],
      ];
      const [type, input] = pick(does) as [string, object];
      return command(home, type, input, random() < 0.2 ? { work: "bulk" } : {});
    };

    const caller = async (home: Home, engine: TestEngine): Promise<void> => {
      for (let n = 0; n < 25; n += 1) {
        const answer = await engine.submit(next(home));
        told.push({ home, answer });
        if (!answer.answer.ok) continue;
        const result = answer.answer.result as Record<string, string | undefined>;
        const { customers, conversations, messages } = known.get(home) as Known;
        if (result["customer"] !== undefined) customers.push(result["customer"]);
        if (result["conversation"] !== undefined) conversations.push(result["conversation"]);
        if (result["message"] !== undefined) messages.push(result["message"]);
      }
    };
    await Promise.all(
      homes.flatMap((home) =>
        Array.from({ length: 12 }, (_, n) => caller(home, engines[n % engines.length] as TestEngine)),
      ),
    );
    await Promise.all(engines.map((engine) => engine.quiet()));

    expect(engines.flatMap((engine) => engine.faults)).toEqual([]);
    expect(told.filter(({ answer }) => answer.answer.ok).length).toBeGreaterThan(told.length / 2);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
    expect(await lanes.rows("select id from parked")).toEqual([]);
    // what each answer tells of is where its organization is
    for (const { home, answer } of told) {
      if (!answer.answer.ok) continue;
      const result = answer.answer.result as Record<string, string | undefined>;
      for (const noun of ["customer", "conversation", "message"] as const) {
        if (result[noun] === undefined) continue;
        const kept = await lanes.rows(`select organization from ${noun}s where lane = $1 and id = $2`, [
          lane,
          result[noun],
        ]);
        expect(kept).toEqual([{ organization: home.id }]);
      }
    }
    // nothing points over the border
    const crossing = await lanes.rows(
      `select m.id from messages m join conversations c on c.lane = m.lane and c.id = m.conversation where c.organization <> m.organization
union all select c.id from conversations c join customers u on u.lane = c.lane and u.id = c.customer where u.organization <> c.organization
union all select c.id from conversations c join channels h on h.lane = c.lane and h.id = c.channel where h.organization <> c.organization`,
    );
    expect(crossing).toEqual([]);
  },
);

test("a command that names another organization's things finds nothing, in the same batch too", async () => {
  const [a, b] = [await lanes.organization({ lane: 700 }), await lanes.organization({ lane: 700 })];
  const engine = lanes.engine();
  const { answer } = await engine.submit(incoming(a, phone(1), "mine"));
  const { conversation, customer, message } = (answer as unknown as { result: Record<string, string> }).result;
  const tries = await Promise.all([
    engine.submit(command(a, "message.note", { conversation, text: "own" })),
    engine.submit(command(b, "conversation.close", { conversation })),
    engine.submit(command(b, "customer.close", { customer })),
    engine.submit(command(b, "message.tag", { message, tags: ["x"] })),
    engine.submit(command(b, "message.send", { conversation, text: "hi" })),
    engine.submit(incoming(b, phone(1), "their channel", { input: { channel: a.channels.sms } })),
    engine.submit(command(b, "conversation.assign", { conversation, user: a.owner })),
  ]);
  expect(tries.map((each) => each.answer.ok)).toEqual([true, false, false, false, false, false, false]);
});
