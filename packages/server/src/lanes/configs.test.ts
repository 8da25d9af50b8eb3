import { emptyScope, type Workflows } from "@threadmill/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../testing/test-api.ts";
import { type CachedConfig, freshConfig } from "./configs.ts";
import type { Place } from "./port.ts";

let api: TestApi;
let place: Place;
beforeAll(async () => {
  api = await startTestApi();
  const { rows } = await api.server.database.pool.query<Place>("select lane, organization from organizations");
  place = rows[0]!;
});
afterAll(() => api.close());

const held = new Map<string, CachedConfig>();

/** The configuration that is brought up to date, or one that is read anew. */
async function config(configs = held): Promise<CachedConfig> {
  const client = await api.server.database.pool.connect();
  try {
    const { rows } = await client.query("select config_version from organizations where organization = $1", [
      place.organization,
    ]);
    const broken = (what: unknown) => {
      throw new Error(JSON.stringify(what));
    };
    return (await freshConfig(client, configs, place, rows[0].config_version, broken))!;
  } finally {
    client.release();
  }
}

const post = async (path: string, body: unknown = {}) => {
  const { status, json } = await api.call("POST", path, { body });
  if (status >= 300) throw new Error(JSON.stringify(json));
  return json;
};

const workflow = (name: string, team: string, more: object = {}) => ({
  name,
  kind: "automatic",
  triggers: [{ event: "message.received", when: { field: "conversation.team", op: "is", value: team } }],
  start: "done",
  steps: { done: { stop: true } },
  ...more,
});

const view = (of: CachedConfig) => {
  const { workflows, settings } = of;
  const active = (list: ReturnType<Workflows["candidates"]>) =>
    list.map(({ version, trigger, index }) => ({
      ...version,
      index,
      mailboxes: version.mailboxes === null ? null : [...version.mailboxes],
      triggers: null,
      reads: trigger.when?.reads,
      when: trigger.when?.explain(emptyScope),
    }));
  const event = { type: "message.received" } as Parameters<Workflows["candidates"]>[0];
  return {
    all: settings.all,
    received: active(workflows.candidates(event, emptyScope)),
    timed: workflows.timed("conversation"),
  };
};

const whenOf = (of: CachedConfig, name: string) => of.workflows.published(name)?.triggers[0]?.when;

describe("a configuration that is held", () => {
  test("comes after every kind of change to what one that is read anew is", async () => {
    const billing = await post("/teams", { name: "Billing" });
    await post("/teams", { name: "Support" });
    const same = async () => expect(view(await config())).toEqual(view(await config(new Map())));
    await same();
    const steps: (() => Promise<unknown>)[] = [
      () => post("/workflows?publish=true", workflow("first", "billing")),
      () => post("/workflows?publish=true", workflow("second", "support", { mailboxes: ["inbox"], order: -1 })),
      () => post("/workflows", workflow("draft", "support")),
      () => post("/workflows/draft/publish"),
      () => api.call("PUT", "/workflows/first", { body: workflow("first", "support") }),
      () => post("/workflows/first/publish"),
      () => post("/workflows/second/disable"),
      () => post("/workflows/second/enable"),
      () => post("/workflows/order", { workflows: ["draft", "second", "first"] }),
      () => api.call("PATCH", `/teams/${billing.id}`, { body: { slug: "money" } }),
      () => post("/teams", { name: "Another", slug: "billing" }),
      () => api.call("PATCH", "/organization", { body: { zone: "Asia/Tokyo", limits: { chain_depth: 3 } } }),
      () => post("/mailboxes", { name: "Sales" }),
      () => post("/channels", { name: "Chat", kind: "chat", mailbox: "inbox" }).catch(() => null),
      () => post("/properties", { noun: "customer", name: "plan", type: "text" }),
      () => post("/users", { name: "Ben" }),
      () =>
        post(
          "/workflows?publish=true",
          workflow("clock", "x", { triggers: [{ time: { since: "conversation.waiting_since", for: "9h" } }] }),
        ),
      () => post("/workflows/clock/publish", { overdue: "include" }),
      () => post(`/teams/${billing.id}/archive`),
      () => post("/workflows/first/archive"),
    ];
    for (const step of steps) {
      await step();
      await same();
    }
  });

  test("keeps all that does not name the changed thing, and makes anew what does", async () => {
    const red = await post("/teams", { name: "Red" });
    await post("/teams", { name: "Blue" });
    await post("/workflows?publish=true", workflow("names-red", "red"));
    await post("/workflows?publish=true", workflow("names-blue", "blue"));
    const before = await config();
    const kept = [whenOf(before, "names-red"), whenOf(before, "names-blue")];
    const users = before.settings.all.users;
    await api.call("PATCH", `/teams/${red.id}`, { body: { name: "Rot" } });
    const after = await config();
    expect(after).toBe(before);
    expect(after.settings.team("red")?.name).toBe("Rot");
    expect(after.settings.all.users).toBe(users);
    expect([whenOf(after, "names-red") === kept[0], whenOf(after, "names-blue") === kept[1]]).toEqual([false, true]);
    // the draft of a workflow that runs says nothing about what runs
    const version = after.workflows.published("names-blue");
    await api.call("PUT", "/workflows/names-blue", { body: workflow("names-blue", "red") });
    expect((await config()).workflows.published("names-blue")).toBe(version);
  });

  test("is read anew where the database is behind it, as after a restore", async () => {
    const before = await config();
    await api.server.database.pool.query("update organizations set config_version = config_version - 1");
    const after = await config();
    expect(after).not.toBe(before);
    expect(view(after).received).toEqual(view(before).received);
    expect(await config()).toBe(after);
  });

  test("of an organization that is not there is none", async () => {
    const client = await api.server.database.pool.connect();
    try {
      const nobody = { lane: place.lane, organization: "01890000-0000-7000-8000-000000000000" };
      expect(await freshConfig(client, new Map(), nobody, 1, () => {})).toBeNull();
    } finally {
      client.release();
    }
  });
});
