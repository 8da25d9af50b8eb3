import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { transaction } from "../db/transaction.ts";
import {
  brokenInvariants,
  command,
  type Home,
  incoming,
  phone,
  resultOf,
  testLanes,
  type TestLanes,
} from "./test-lanes.ts";
import { testProxy } from "./test-proxy.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

const count = 8;
const homesInLanes = (first: number): Promise<Home[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => lanes.organization({ lane: first + n })));

/** How many transactions wrote the messages of some organizations. */
async function transactions(homes: readonly Home[]): Promise<number> {
  const [row] = await lanes.rows<{ n: number }>(
    "select count(distinct xmin::text)::int as n from messages where organization = any($1)",
    [homes.map(({ id }) => id)],
  );
  return row?.n ?? 0;
}

const texts = async (homes: readonly Home[]): Promise<string[]> =>
  (
    await lanes.rows<{ text: string }>("select text from messages where organization = any($1) order by text", [
      homes.map(({ id }) => id),
    ])
  ).map(({ text }) => text);

describe("lanes that wait for a place", () => {
  test("go together in one transaction, each with its own log, and are answered apart", async () => {
    const homes = await homesInLanes(100);
    const engine = lanes.engine({ parallel: 1 });
    const answers = await Promise.all(homes.map((home, n) => engine.submit(incoming(home, phone(1), `m${n}`))));
    // the first goes at once, and alone: nobody waits for company
    expect(await transactions(homes)).toBe(2);
    for (const [n, home] of homes.entries()) {
      const { message } = resultOf(answers[n] as never);
      expect(await lanes.rows("select lane, text, seq from messages where organization = $1", [home.id])).toEqual([
        { lane: 100 + n, text: `m${n}`, seq: 3 },
      ]);
      expect(await lanes.rows("select id from messages where organization = $1", [home.id])).toEqual([{ id: message }]);
    }
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("read, change and end things of their own in what they share", async () => {
    const homes = await homesInLanes(110);
    const engine = lanes.engine({ parallel: 1 });
    const first = await Promise.all(homes.map((home) => engine.submit(incoming(home, phone(1), "first"))));
    const closed = await Promise.all(
      homes.map((home, n) =>
        engine.submit(
          n % 2 === 0
            ? incoming(home, phone(1), "second")
            : command(home, "conversation.close", { conversation: resultOf(first[n] as never)["conversation"] }),
        ),
      ),
    );
    expect(closed.every(({ answer }) => answer.ok)).toBe(true);
    const rows = await lanes.rows(
      "select lane, status, inbound_count as messages from conversations where organization = any($1) order by lane",
      [homes.map(({ id }) => id)],
    );
    expect(rows).toEqual(
      homes.map(({ lane }, n) => ({ lane, status: n % 2 === 0 ? "open" : "closed", messages: n % 2 === 0 ? 2 : 1 })),
    );
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("leave behind the one that somebody else holds", async () => {
    const homes = await homesInLanes(120);
    const engine = lanes.engine({ parallel: 1 });
    const stuck = homes[4] as Home;
    const held = await transaction(lanes.pool, async (holder) => {
      await holder.query("select from lanes where lane = $1 for update", [stuck.lane]);
      const sent = homes.map((home) => engine.submit(incoming(home, phone(1), "hello")));
      await Promise.all(sent.filter((_, n) => n !== 4));
      expect(await texts([stuck])).toEqual([]);
      // it is answered only after this lets go
      return { last: sent[4] };
    });
    expect((await held.last)?.answer.ok).toBe(true);
    expect(await transactions(homes)).toBe(3);
    expect(engine.faults).toEqual([]);
  });

  test("are not blamed for another's poison", async () => {
    const homes = await homesInLanes(130);
    const engine = lanes.engine({ parallel: 1 });
    await lanes.rows("alter table messages add constraint no_poison check (text <> 'poison')");
    const answers = await Promise.all(
      homes.map((home, n) => engine.submit(incoming(home, phone(1), n === 5 ? "poison" : `m${n}`))),
    );
    await lanes.rows("alter table messages drop constraint no_poison");
    expect(answers.map(({ answer }) => answer.ok && "parked" in answer.result)).toEqual(homes.map((_, n) => n === 5));
    expect(await texts(homes)).toEqual(["m0", "m1", "m2", "m3", "m4", "m6", "m7"]);
    expect(
      await lanes.rows("select organization from parked where organization = any($1)", [homes.map((each) => each.id)]),
    ).toEqual([{ organization: homes[5]?.id }]);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test.each(["before", "after"] as const)(
    "and whose COMMIT was cut off %s the server got it, each hear the truth, once",
    async (cut) => {
      const homes = await homesInLanes(cut === "before" ? 140 : 150);
      const proxy = await testProxy(lanes.url);
      const engine = lanes.engine({ url: proxy.url, parallel: 1 });
      await engine.submit(incoming(homes[0] as Home, phone(9), "warm"));
      proxy.plan.push("none", cut);
      const answers = await Promise.all(homes.map((home, n) => engine.submit(incoming(home, phone(1), `m${n}`))));
      expect(proxy.cuts).toContain(cut);
      expect(answers.every(({ answer }) => answer.ok)).toBe(true);
      expect(await texts(homes)).toEqual([...homes.map((_, n) => `m${n}`), "warm"]);
      expect(engine.faults.map(({ what }) => what)).toEqual(homes.slice(1).map(() => "in_doubt"));
      expect(await brokenInvariants(lanes.pool)).toEqual([]);
      await engine.stop();
      await proxy.close();
    },
  );
});

test("bulk work shares its transaction with nobody", async () => {
  const homes = await homesInLanes(160);
  const engine = lanes.engine({ parallel: 1 });
  await Promise.all(homes.map((home) => engine.submit(incoming(home, phone(1), "bulk", { work: "bulk" }))));
  expect(await transactions(homes)).toBe(count);
});
