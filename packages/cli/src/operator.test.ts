import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@threadmill/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pool } from "./database.ts";
import { checkDatabase } from "./doctor/database.ts";
import { examine } from "./doctor/doctor.ts";
import { migrateDatabase } from "./migrate.ts";
import { rebuildFollower } from "./rebuild.ts";
import { createOrganizationCommand } from "./organization-create.ts";
import { contextOf, type Installation, startInstallation, testToken } from "./testing/installation.ts";
import { createToken, listTokens, revokeToken } from "./token.ts";
import { createUser, listSessions, resetPassword } from "./user.ts";

let installation: Installation;
beforeAll(async () => {
  installation = await startInstallation();
}, 60_000);
afterAll(() => installation.close());

const context = (env: Record<string, string> = {}) => contextOf({ ...installation.env, ...env });
const me = (token: string) => createClient({ url: installation.server.url, token, attempts: 1 }).me();

interface Token {
  readonly id: string;
  readonly token: string;
  readonly organization: string;
}

describe("beside a running server", () => {
  test("a token is made, works, is listed and is revoked, and the log says so", async () => {
    const made = (await createToken(context(), { name: "Deploy" })).json as Token;
    expect(await me(made.token)).toMatchObject({ user: { name: "Owner" }, token: { id: made.id, name: "Deploy" } });
    const listed = await listTokens(context(), {});
    expect(listed.json).toMatchObject({
      tokens: [{ id: made.id, name: "Deploy", revoked_at: null }, { name: "First token" }],
    });
    expect(JSON.stringify(listed)).not.toContain(made.token);
    const revoked = await revokeToken(context(), { id: made.id });
    expect(revoked.json).toMatchObject({ id: made.id, revoked_at: expect.any(String) });
    expect((await revokeToken(context(), { id: made.id })).text).toMatch(/already/);
    const client = createClient({ url: installation.server.url, token: testToken });
    const { items } = await client.request<{ items: { data: { noun: string; id: string; before: unknown } }[] }>(
      "GET",
      "/events",
      undefined,
      { query: { type: "settings.changed" } },
    );
    expect(items.map(({ data }) => [data.noun, data.id, data.before === null])).toEqual([
      ["token", made.id, true],
      ["token", made.id, false],
    ]);
  });

  test("what there is not is refused", async () => {
    await expect(revokeToken(context(), { id: "none" })).rejects.toMatchObject({
      code: "token_not_found",
      exit: "refused",
    });
    await expect(createToken(context(), { name: "x", user: "nobody@example.com" })).rejects.toMatchObject({
      code: "user_not_found",
    });
    await expect(createToken(context(), { name: " " })).rejects.toMatchObject({ exit: "usage" });
    await expect(listTokens(context(), { organization: "Nobody" })).rejects.toMatchObject({
      code: "organization_not_found",
    });
    await expect(
      createOrganizationCommand(context(), { name: "x", zone: "Mars/Olympus", sandbox: false }),
    ).rejects.toMatchObject({ code: "zone_unknown" });
  });

  test("a token for some days expires", async () => {
    const made = (await createToken(context(), { name: "Brief", days: 2 })).json as Token & { expires_at: string };
    expect(Math.round((Date.parse(made.expires_at) - Date.now()) / 3_600_000)).toBe(48);
    await expect(createToken(context(), { name: "x", days: 1e9 })).rejects.toMatchObject({ exit: "usage" });
    expect((await listTokens(context(), {})).text).toContain(`(expires ${made.expires_at})`);
    await revokeToken(context(), { id: made.id });
  });

  test("a user is made, comes in by the link, is let in again and signed out", async () => {
    const page = { "content-type": "application/json", origin: installation.server.url, "x-threadmill-page": "1" };
    const post = async (path: string, body: object) =>
      fetch(`${installation.server.url}/api/v2/auth/${path}`, {
        method: "POST",
        headers: page,
        body: JSON.stringify(body),
      });
    const tokenOf = ({ json }: { json: object }) => (json as { link: string }).link.split("=")[1];
    const email = "Olga@Example.com";
    const publicUrl = { THREADMILL_PUBLIC_URL: installation.server.url };
    const made = await createUser(context(publicUrl), { email, name: "Olga", role: "admin" });
    expect(made.json).toMatchObject({
      email: "olga@example.com",
      link: expect.stringContaining(installation.server.url),
    });
    const again = await createUser(context(publicUrl), { email });
    expect(again.json).toMatchObject({ user: (made.json as { user: string }).user });
    const password = "correct horse battery";
    expect((await post("invitation/accept", { token: tokenOf(made), name: "Olga", password })).status).toBe(404);
    expect((await post("invitation/accept", { token: tokenOf(again), name: "Olga", password })).status).toBe(200);
    await expect(createUser(context(), { email })).rejects.toMatchObject({ code: "user_signs_in" });
    expect((await listSessions(context(), { email, revoke: false })).json).toMatchObject({ sessions: [{}], ended: 0 });
    const reset = await resetPassword(context(publicUrl), { email, secondFactor: true });
    expect((await post("password-reset/confirm", { token: tokenOf(reset), password: `${password}!` })).status).toBe(
      200,
    );
    expect((await post("sign-in", { email, password: `${password}!` })).status).toBe(200);
    expect((await listSessions(context(), { email, revoke: true })).json).toMatchObject({ ended: 1 });
    expect((await listSessions(context(), { email, revoke: false })).text).toContain("nowhere");
    await expect(resetPassword(context(), { email: "nobody@example.com", secondFactor: false })).rejects.toMatchObject({
      code: "identity_not_found",
    });
    await expect(createUser(context(), { email: "no address" })).rejects.toMatchObject({ exit: "usage" });
    await expect(createUser(context(), { email, role: "king" })).rejects.toMatchObject({ exit: "usage" });
  });

  test("another organization; then commands must say which", async () => {
    const made = (await createOrganizationCommand(context(), { name: "Second", zone: "Europe/Berlin", sandbox: true }))
      .json as Token & { lane: number };
    expect(made.lane).toBe(1);
    expect(await me(made.token)).toMatchObject({ organization: { name: "Second", zone: "Europe/Berlin" } });
    await expect(listTokens(context(), {})).rejects.toMatchObject({
      code: "organization_unclear",
      hint: expect.stringContaining("Second"),
    });
    const token = (await createToken(context(), { name: "Another", organization: "Second" })).json as Token;
    expect(token.organization).toBe(made.id);
  });

  test("the schema is up to date", async () => {
    expect((await migrateDatabase(context())).json).toMatchObject({
      applied: [],
      version: expect.stringMatching(/^\d{14}_/),
    });
  });

  test("what follows the log is made anew; what there is not is refused", async () => {
    expect((await rebuildFollower(context(), "daily_counts")).json).toMatchObject({
      follower: "daily_counts",
      lanes: expect.toSatisfy((lanes: number) => lanes > 0),
    });
    await expect(rebuildFollower(context(), "nobody")).rejects.toMatchObject({
      code: "follower_not_found",
      hint: expect.stringContaining("daily_counts"),
    });
  });

  test("the doctor finds all well", async () => {
    const { json, text, exit } = await examine(context());
    expect(json.findings.filter(({ verdict, check }) => verdict !== "ok" && check !== "disk space")).toEqual([]);
    expect(exit).toBeUndefined();
    expect(json.findings.map(({ check }) => check)).toEqual([
      "node",
      "data directory",
      "disk space",
      "secret key",
      "database",
      "connections",
      "clock",
      "schema",
      "server",
      "token",
    ]);
    expect(text).toContain("ok    token: Owner of Threadmill");
  });

  test.skipIf(process.platform === "win32")("the doctor finds what is wrong", async () => {
    const key = join(installation.dataDir, "secret.key");
    await chmod(key, 0o644);
    const { json, exit } = await examine({
      ...context({ THREADMILL_TOKEN: `${testToken}x` }),
      now: () => new Date(Date.now() + 3_600_000).toISOString(),
    });
    await chmod(key, 0o600);
    const verdicts = Object.fromEntries(json.findings.map(({ check, verdict }) => [check, verdict]));
    expect(verdicts).toMatchObject({ "secret key": "warn", clock: "fail", token: "fail", server: "ok" });
    expect([json.verdict, exit]).toEqual(["fail", "fault"]);
  });
});

test("the doctor of a place where nothing runs starts nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "threadmill-nothing-"));
  const { json } = await examine(
    contextOf({ THREADMILL_DATA_DIR: join(folder, "none"), THREADMILL_URL: "http://127.0.0.1:1" }),
  );
  await rm(folder, { recursive: true });
  const verdicts = Object.fromEntries(json.findings.map(({ check, verdict }) => [check, verdict]));
  expect(verdicts).toMatchObject({ "data directory": "warn", "secret key": "warn", database: "warn", server: "fail" });
});

test("the doctor knows which servers will do, and whether they have room", async () => {
  const about = async (version: string, text: string, room: number) => {
    const row = { version, text, room, now: new Date().toISOString(), there: false };
    const pool = { query: async () => ({ rows: [row] }) } as unknown as Pool;
    const patient = { config: context().config, fetch, nodeVersion: "24.0.0", nowMs: () => Date.now(), pool };
    return Object.fromEntries((await checkDatabase(patient)).map(({ check, verdict }) => [check, verdict]));
  };
  expect(await about("150019", "15.19", 97)).toMatchObject({ database: "ok", connections: "ok" });
  expect(await about("140011", "14.11", 20)).toMatchObject({ database: "fail", connections: "warn" });
});

test("the doctor and a database that does not answer", async () => {
  const { json } = await examine(context({ DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" }));
  expect(json.findings).toContainEqual({
    check: "database",
    verdict: "fail",
    message: expect.stringContaining("cannot be reached"),
  });
});
