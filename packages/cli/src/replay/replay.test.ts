import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@threadmill/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contextOf, type Installation, startInstallation, testToken } from "../testing/installation.ts";
import { replay } from "./replay.ts";

let installation: Installation;
let folder = "";
let file = "";
beforeAll(async () => {
  installation = await startInstallation();
  folder = await mkdtemp(join(tmpdir(), "threadmill-replay-"));
  file = join(folder, "recording.json");
  await writeFile(file, JSON.stringify(recording));
  await client().workflows.create(workflow, { publish: true });
}, 60_000);
afterAll(async () => {
  await installation.close();
  await rm(folder, { recursive: true });
});

const client = () => createClient({ url: installation.server.url, token: testToken });
const say = (from: "customer" | "agent", minute: number, text: string) => ({
  from,
  at: `2026-11-20T17:${String(minute).padStart(2, "0")}:00Z`,
  text,
});
const recording = [
  {
    id: "a",
    company: "X",
    messages: [say("customer", 1, "a refund please"), say("agent", 4, "of course"), say("customer", 6, "thanks")],
  },
  { id: "b", company: "X", messages: [say("agent", 2, "how was it?"), say("customer", 3, "fine")] },
  { id: "c", company: "Y", messages: [say("customer", 5, "hello")] },
];
const workflow = {
  name: "Refunds",
  kind: "automatic",
  triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: "refund" } }],
  start: "tag",
  steps: {
    tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "topic" },
    topic: { action: "conversation.set_topic", input: { topic: "Refunds" } },
  },
};

test("plays both directions, counts what it caused, and goes on in the same conversations the next time", async () => {
  const { json, exit } = await replay(contextOf(installation.env), { file });
  expect(exit).toBeUndefined();
  expect(json).toEqual({
    messages: 6,
    conversations: 3,
    events: expect.any(Number),
    runs: 1,
    steps: 2,
    failed: 0,
    seconds: expect.any(Number),
    p50Ms: expect.any(Number),
    p99Ms: expect.any(Number),
    cut: 0,
  });
  expect(json.p99Ms).toBeGreaterThanOrEqual(json.p50Ms);
  const { items } = await client().conversations.list();
  expect(items).toHaveLength(3);
  const texts = [];
  for (const { id } of items)
    texts.push((await client().messages.list(id, { limit: 100 })).items.map(({ text }) => text).toReversed());
  expect(texts).toContainEqual(["a refund please", "of course", "thanks"]);
  expect(texts).toContainEqual(["how was it?", "fine"]);

  const again = await replay(contextOf(installation.env), { file, parallel: 1 });
  expect(again.json).toMatchObject({ messages: 6, conversations: 3, runs: 1, steps: 2, failed: 0 });
  expect((await client().conversations.list()).items).toHaveLength(3);
  expect(await client().stats()).toMatchObject({ messages: 12, conversations: 3, runs: 2, steps: 4 });
  expect(again.text).toMatch(/6 messages of 3 conversations .* 1 runs with 2 steps/s);
});

test("messages that the server refuses are counted, told and end with the code for it", async () => {
  const bad = join(folder, "bad.json");
  await writeFile(
    bad,
    JSON.stringify([{ id: "d", messages: [say("customer", 1, "x".repeat(70_000)), say("customer", 2, "short")] }]),
  );
  const { json, text, exit } = await replay(contextOf(installation.env), { file: bad });
  expect(json).toMatchObject({ messages: 1, conversations: 1, failed: 1 });
  expect(exit).toBe("refused");
  expect(text).toMatch(/1 messages failed:\n {2}1 x /);
});

test("a wrong channel, token or address is told before anything is sent", async () => {
  const context = contextOf(installation.env);
  await expect(replay(context, { file, channel: "sms" })).rejects.toMatchObject({ code: "channel_unfit" });
  await expect(replay(context, { file, channel: "none" })).rejects.toMatchObject({
    code: "channel_not_found",
    hint: "There is api.",
  });
  const wrong = contextOf({ ...installation.env, THREADMILL_TOKEN: `${testToken}x` });
  await expect(replay(wrong, { file })).rejects.toMatchObject({ code: "unauthorized" });
  const { THREADMILL_TOKEN: _, ...without } = installation.env;
  await expect(replay(contextOf(without), { file })).rejects.toMatchObject({ code: "token_missing" });
});

test("a server that goes away ends the replay", async () => {
  const context = contextOf(installation.env);
  const fetch: typeof globalThis.fetch = async (url, init) => {
    if (init?.method === "POST") throw new TypeError("fetch failed", { cause: new Error("connection reset") });
    return globalThis.fetch(url, init);
  };
  const many = join(folder, "many.json");
  await writeFile(
    many,
    JSON.stringify(Array.from({ length: 200 }, (_, n) => ({ id: `m${n}`, messages: [say("customer", 1, "hi")] }))),
  );
  await expect(replay({ ...context, fetch }, { file: many })).rejects.toThrow("connection reset");
}, 20_000);

const dialogs = fileURLToPath(new URL("../../../../../shared/data/customer-care-dialogs.json", import.meta.url));
test.runIf(existsSync(dialogs))(
  "the recorded conversations, when they are there",
  async () => {
    const { json } = await replay(contextOf(installation.env), { file: dialogs });
    expect(json).toMatchObject({ messages: 686, conversations: 525, failed: 0 });
    expect(json.events).toBeGreaterThanOrEqual(686 + 525);
  },
  60_000,
);
