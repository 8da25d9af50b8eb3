import { type Event, key } from "@threadmill/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { transaction } from "../db/transaction.ts";
import { load, LoadedWorld } from "./loader.ts";
import { readEvents } from "./log-format.ts";
import { command, incoming, phone, resultOf, testLanes, type TestEngine, type TestLanes } from "./test-lanes.ts";

let lanes: TestLanes;
let engine: TestEngine;
beforeAll(async () => {
  lanes = await testLanes();
  engine = lanes.engine();
});
afterAll(() => lanes.close());

test("an event is found by its id, under whoever the customer stands for or is stood for by", async () => {
  const home = await lanes.organization();
  const stranger = await lanes.organization();
  const issue = async (type: string, input: object) => resultOf(await engine.submit(command(home, type, input)));
  const { customer: ann } = resultOf(await engine.submit(incoming(home, phone(1), "hi"))) as { customer: string };
  const { customer: bob } = resultOf(await engine.submit(incoming(home, phone(2), "hi"))) as { customer: string };
  await issue("customer.add_tags", { customer: ann, tags: ["vip"] });
  await issue("customer.merge", { customer: ann, into: bob });
  await issue("customer.add_tags", { customer: bob, tags: ["late"] });
  const [user] = await lanes.rows<{ id: string }>("select id from users where organization = $1 and kind = 'person'", [
    home.id,
  ]);
  await issue("user.set_presence", { user: user?.id, status: "away" });

  const rows = await lanes.rows<Parameters<typeof readEvents>[0]>(
    "select seq, at, root, events from log where organization = $1 order by seq",
    [home.id],
  );
  const events = new Map(
    rows
      .flatMap((row) => readEvents(row))
      .map(({ seq: _, ...event }) => [`${event.type} ${event.refs.customer}`, event]),
  );
  const tagged = events.get(`customer.tags_added ${ann}`) as Event;
  const late = events.get(`customer.tags_added ${bob}`) as Event;
  const away = events.get("user.presence_changed undefined") as Event;

  const wanted = [
    [tagged.id, ann, tagged],
    [tagged.id, bob, tagged],
    [late.id, ann, late],
    [away.id, null, away],
    [away.id, ann, null],
    [ann, ann, null],
  ] as const;
  const read = async (organization: string) => {
    const world = new LoadedWorld({ lane: home.place.lane, organization });
    const names = wanted.map(([id, customer]) => key.event(id, customer));
    await transaction(lanes.pool, (client) => load(client, new Map([[world, names]])));
    return names.map((name) => world.get(name));
  };
  expect(await read(home.id)).toEqual(wanted.map(([, , event]) => event));
  expect(await read(stranger.id)).toEqual(wanted.map(() => null));
});

test("an event of this batch is found before the log has it", async () => {
  const home = await lanes.organization();
  const world = new LoadedWorld(home.place);
  const event = { id: "01936f2a-0000-7000-8000-000000000001", type: "customer.closed" } as Event;
  world.advance({ after: { rows: new Map(), made: new Set() }, events: [event], leftover: null });
  const name = key.event(event.id, null);
  await transaction(lanes.pool, (client) => load(client, new Map([[world, [name]]])));
  expect(world.get(name)).toEqual(event);
});
