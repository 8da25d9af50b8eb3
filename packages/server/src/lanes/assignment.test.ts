import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SettingsIndex } from "@threadmill/core";
import {
  command,
  type Home,
  incoming,
  phone,
  resultOf,
  testLanes,
  type TestEngine,
  type TestLanes,
} from "./test-lanes.ts";
import { freshId } from "./fresh-id.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

/** A team of so many, each of whom is to hold so many at most. */
async function team(home: Home, size: number, capacity: number | null): Promise<readonly string[]> {
  const { lane, organization } = home.place;
  const members = Array.from({ length: size }, () => freshId()).sort();
  await lanes.rows(
    `insert into users (lane, organization, id, kind, role, name, email, capacity)
select $1, $2, id, 'person', 'agent', 'A', id || '@acme.test', $4 from unnest($3::uuid[]) as id`,
    [lane, organization, members, capacity],
  );
  await lanes.rows(
    "insert into teams (lane, organization, id, slug, name, members) values ($1, $2, $3, 'desk', 'Desk', $4)",
    [lane, organization, freshId(), members],
  );
  await lanes.rows(
    "update organizations set config_version = config_version + 1 where lane = $1 and organization = $2",
    [lane, organization],
  );
  return members;
}

async function conversations(home: Home, engine: TestEngine, count: number): Promise<readonly string[]> {
  const all = await Promise.all(
    Array.from({ length: count }, (_, n) => engine.submit(incoming(home, phone(n), `m${n}`))),
  );
  return all.map((each) => resultOf(each)["conversation"] as string);
}

describe("one place decides who gets a conversation", () => {
  test("in turn, and it stays fair when another process goes on", async () => {
    const home = await lanes.organization({ lane: 41 });
    const members = await team(home, 3, null);
    const got: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      // each is a process that has just started
      const engine = lanes.engine();
      const ids = await conversations(home, engine, 4);
      const answers = await Promise.all(
        ids.map((conversation) =>
          engine.submit(command(home, "conversation.assign", { conversation, team: "desk", by: "round_robin" })),
        ),
      );
      got.push(...answers.map((each) => resultOf(each)["assignee"] as string));
      await engine.stop();
    }
    expect(got).toEqual(got.map((_, n) => members[n % 3]));
  });

  test("nobody gets more than they are to hold, however many are given at once by two processes", async () => {
    const home = await lanes.organization({ lane: 42 });
    const members = await team(home, 2, 3);
    const engines = [lanes.engine(), lanes.engine()];
    const ids = await conversations(home, engines[0] as TestEngine, 20);
    const answers = await Promise.all(
      ids.map((conversation, n) =>
        (engines[n % 2] as TestEngine).submit(
          command(home, "conversation.assign", { conversation, team: "desk", by: "least_busy" }),
        ),
      ),
    );
    expect(answers.filter(({ answer }) => answer.ok)).toHaveLength(6);
    expect(answers.flatMap(({ answer }) => (answer.ok ? [] : [answer.code]))).toEqual(
      Array.from({ length: 14 }, () => "nobody_available"),
    );
    expect(await lanes.rows("select user_id, open from loads where lane = 42 order by user_id")).toEqual(
      members.map((user_id) => ({ user_id, open: 3 })),
    );
  });

  test("who replied last is found among the messages", async () => {
    const home = await lanes.organization({ lane: 43 });
    const [ben, cleo] = (await team(home, 2, null)) as [string, string];
    const engine = lanes.engine();
    const [conversation, silent] = (await conversations(home, engine, 2)) as [string, string];
    const send = (user: string, type = "message.send") =>
      engine.submit(command(home, type, { conversation, text: "yes" }, { actor: { kind: "user", id: user } }));
    resultOf(await send(cleo));
    resultOf(await send(ben));
    resultOf(await send(cleo, "message.note"));
    // another process has read none of it
    const later = lanes.engine();
    const assign = (id: string) =>
      later.submit(command(home, "conversation.assign", { conversation: id, by: "last_replied" }));
    expect(resultOf(await assign(conversation))).toMatchObject({ assignee: ben });
    expect((await assign(silent)).answer).toMatchObject({ ok: false, code: "nobody_replied" });
    const settings: SettingsIndex = await later.settings(home.place);
    expect(settings.user(ben)).toMatchObject({ capacity: null, hours: null });
  });
});
