import { describe, expect, test } from "vitest";
import { beginInLanes } from "../lanes/hold.ts";
import { explainFault } from "../main.ts";
import { findPackagedPostgres, startPackagedPostgres } from "../testing/debian-postgres.ts";
import { startTestApi } from "../testing/test-api.ts";
import { isDatabaseFault } from "./fault.ts";
import { judgeVersion } from "./server-version.ts";

describe("a database server", () => {
  test.each([
    [150_019, { major: 15, transactionTimeout: false }],
    [160_000, { major: 16, transactionTimeout: false }],
    [170_004, { major: 17, transactionTimeout: true }],
    [180_001, { major: 18, transactionTimeout: true }],
  ])("of version %i is supported", (number, version) => {
    expect(judgeVersion(number, "")).toEqual(version);
  });

  test("that is too old is refused with a sentence that says what to do", () => {
    let thrown: unknown;
    try {
      judgeVersion(140_011, "14.11 (Debian 14.11-1)");
    } catch (error) {
      thrown = error;
    }
    expect(isDatabaseFault(thrown, "postgres_too_old")).toBe(true);
    expect(explainFault(thrown)).toEqual({
      sentence: expect.stringMatching(/PostgreSQL 14\.11 .*needs 15 or newer.*DATABASE_URL/),
      exit: "usage",
    });
  });
});

test("without transaction_timeout everything works, and the other limits hold", async ({ skip }) => {
  const found = findPackagedPostgres();
  if (found === null) return skip("This machine has no PostgreSQL 15 or 16 of its distribution to test with");
  const postgres = await startPackagedPostgres(found.bin);
  try {
    await using api = await startTestApi({ DATABASE_URL: postgres.url });
    const { version, pool, lanes } = api.server.database;
    expect(version).toEqual({ major: found.major, transactionTimeout: false });

    const workflow = {
      name: "Tag",
      kind: "automatic",
      triggers: [{ event: "message.received" }],
      start: "tag",
      steps: {
        tag: { action: "conversation.add_tags", input: { tags: ["seen"] }, next: "reply" },
        reply: { action: "message.send", input: { text: "Thank you" } },
      },
    };
    expect(await api.call("POST", "/workflows?publish=true", { body: workflow })).toMatchObject({ status: 201 });
    const received = await api.call("POST", "/channels/api/messages", { body: { from: "ada", text: "hi" } });
    const { conversation, customer } = received.json.result;
    expect((await api.call("GET", `/conversations/${conversation}`)).json).toMatchObject({ tags: ["seen"] });
    const sent = async () =>
      (await api.call("GET", `/conversations/${conversation}/messages`)).json.items.map(
        ({ delivery }: { delivery: string }) => delivery,
      );
    await expect.poll(sent, { timeout: 20_000 }).toContain("sent");
    expect(await api.call("POST", `/customers/${customer}/erase`, { body: {} })).toMatchObject({ status: 200 });
    expect(await api.call("PATCH", "/organization", { body: { name: "Renamed" } })).toMatchObject({ status: 200 });

    // a holder that stands still is cut off as on any server; what is missing is the limit of the whole transaction
    const holder = await lanes.connect();
    await holder.query(beginInLanes([7], version));
    const { rows } = await holder.query<{ name: string; setting: string }>(
      "select name, setting from pg_settings where name ~ '^(idle_in_transaction_session|lock|transaction)_timeout$' order by name",
    );
    expect(rows).toEqual([
      { name: "idle_in_transaction_session_timeout", setting: "15000" },
      { name: "lock_timeout", setting: "20000" },
    ]);
    await holder.query("set local idle_in_transaction_session_timeout = '50ms'");
    await expect
      .poll(async () => (await pool.query("select from lanes where lane = 7 for update skip locked")).rowCount)
      .toBe(1);
    await expect(holder.query("commit")).rejects.toThrow(/idle-in-transaction|terminated|not queryable/);
    holder.release(true);
  } finally {
    await postgres.stop();
  }
}, 120_000);
