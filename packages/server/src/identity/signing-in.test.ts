import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "../testing/browser.ts";
import { startServerProcess } from "../lanes/test-server-process.ts";
import { startTestApi, type TestApi, testToken } from "../testing/test-api.ts";
import { createTestDatabase } from "../testing/test-database.ts";
import { setupLink } from "./setup.ts";
import { insertIdentity, insertMembership, passwordHash, setPassword } from "./people.ts";

const password = "correct horse battery";
let api: TestApi;
let hash: string;
beforeAll(async () => {
  api = await startTestApi({ THREADMILL_TRUSTED_PROXIES: "127.0.0.1" });
  hash = await passwordHash(password);
});
afterAll(() => api.close());

const pool = () => api.server.database.pool;
let people = 0;

/** A person who works in the first organization and signs in by the password. */
async function person(at: TestApi = api) {
  people += 1;
  const email = `ann-${people}@example.com`;
  const name = `Ann ${people}`;
  const user = (await at.call("POST", "/users", { body: { name, email } })).json.id as string;
  const identity = await insertIdentity(pool(), { name, email, verified: true });
  if (identity === null) throw new Error("The identity is there already");
  await setPassword(pool(), identity.id, hash);
  const { rows } = await pool().query("select lane, organization from users where id = $1", [user]);
  await insertMembership(pool(), rows[0], identity.id, user);
  return { email, user, identity: identity.id };
}

let networks = 0;
/** A browser from an address of its own, so that tries of one test are not counted against another. */
const freshBrowser = (at: TestApi = api) => {
  networks += 1;
  return openBrowser(at, `198.51.${Math.floor(networks / 250)}.${networks % 250}`);
};

async function signedIn(at: TestApi = api) {
  const who = await person(at);
  const browser = freshBrowser(at);
  const answer = await browser.post("/auth/sign-in", { email: who.email, password });
  expect(answer).toMatchObject({ status: 200, json: { status: "signed_in" } });
  return { ...who, browser };
}

const forget = () => pool().query("update directory_attempts set blocked_until = null, failures = 0");

test("the first start's link makes the owner, once", async () => {
  await using fresh = await startTestApi();
  const own = fresh.server.database.pool;
  const link = fresh.server.setupLink as string;
  expect(link).toMatch(/^https:\/\/threadmill\.test\/welcome#setup=[\w-]{43}$/);
  const token = link.split("=")[1] as string;
  const browser = openBrowser(fresh);
  const owner = { token, name: "Olga", email: "Olga@Example.com", password };
  expect(await browser.post("/auth/setup", { ...owner, password: "short" })).toMatchObject({ status: 422 });
  expect(await browser.post("/auth/setup", { ...owner, email: "olga" })).toMatchObject({
    status: 422,
    json: { code: "email_invalid" },
  });
  expect(await browser.post("/auth/setup", { ...owner, token: "no" })).toMatchObject({
    status: 404,
    json: { code: "link_not_found" },
  });
  // of several who come with it at once one is the owner
  const answers = await Promise.all(
    [1, 2, 3].map((n) => browser.post("/auth/setup", { ...owner, email: `o${n}@x.test` })),
  );
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 404, 404]);
  expect((await browser.get("/me")).json).toMatchObject({
    user: { name: "Olga", email: expect.stringMatching(/^o\d@x\.test$/) },
    session: { id: expect.any(String) },
  });
  expect(await browser.post("/auth/setup", owner)).toMatchObject({ status: 404 });
  expect(await setupLink(own, "https://threadmill.test")).toBeNull();
  const { rows } = await own.query("select * from directory_verifications");
  expect(JSON.stringify(rows)).not.toContain(token);
}, 60_000);

describe("a password", () => {
  test("signs in; cookies are for us alone, and nothing in the database opens a session", async () => {
    const { browser, email, user } = await signedIn();
    expect((await browser.get("/me")).json).toMatchObject({ user: { id: user }, token: null });
    for (const cookie of browser.heard) {
      expect(cookie).toMatch(/; HttpOnly/i);
      expect(cookie).toMatch(/; SameSite=Lax/i);
      expect(cookie).toMatch(/; Secure/i);
      expect(cookie).toMatch(/^__Secure-threadmill_/);
    }
    // the database says how long it lasts, and that moves on while it is used
    expect(browser.heard.find((one) => one.includes("threadmill_session="))).toMatch(/; Max-Age=34560000/);
    const session = decodeURIComponent(browser.cookies.get("__Secure-threadmill_session") as string).split(
      ".",
    )[0] as string;
    const { rows } = await pool().query("select row_to_json(s) as row from directory_sessions s");
    expect(JSON.stringify(rows)).not.toContain(session);
    const hashes = await pool().query<{ token: string }>(
      "select token from directory_sessions s join directory_identities i on i.id = s.identity where i.email = $1",
      [email],
    );
    expect(hashes.rows).toHaveLength(1);
    const forged = openBrowser(api);
    forged.cookies.set("__Secure-threadmill_session", hashes.rows[0]?.token as string);
    expect(await forged.get("/me")).toMatchObject({ status: 401 });
    const accounts = await pool().query("select row_to_json(a) as row from directory_accounts a");
    expect(JSON.stringify(accounts.rows)).not.toContain(password);
  });

  test("that is wrong, and an address that nobody has, are answered alike, and take as long", async () => {
    const { email } = await person();
    const spans: Record<string, number[]> = { known: [], unknown: [] };
    const answers = new Set<string>();
    for (let n = 0; n < 5; n += 1) {
      for (const [kind, address] of [
        ["known", email],
        ["unknown", `nobody-${n}@example.com`],
      ] as const) {
        const begun = performance.now();
        const answer = await freshBrowser().post("/auth/sign-in", { email: address, password: "wrong wrong" });
        spans[kind]?.push(performance.now() - begun);
        const { date: _, ...headers } = answer.headers;
        answers.add(JSON.stringify([answer.status, answer.text, headers]));
      }
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toContain("wrong_credentials");
    const median = (of: number[] = []) => of.sort((a, b) => a - b)[Math.floor(of.length / 2)] as number;
    const ratio = median(spans["known"]) / median(spans["unknown"]);
    // without the work of a hash it would be a twentieth
    expect(ratio).toBeGreaterThan(0.3);
    expect(ratio).toBeLessThan(3);
  }, 60_000);

  test("never stands in the log", async () => {
    const lines: string[] = [];
    const { pino } = await import("pino");
    const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
    const loud = await startTestApi({ DATABASE_URL: api.databaseUrl }, log);
    const { email } = await person();
    const browser = openBrowser(loud);
    await browser.post("/auth/sign-in", { email, password: "wrong-password-in-log" });
    await browser.post("/auth/sign-in", { email, password });
    await browser.post("/auth/second-factor", { code: "135790" });
    await browser.post("/account/password", { password, new_password: "another-password-in-log" });
    await loud.close();
    const text = lines.join("");
    expect(text).toContain("/api/v2/auth/sign-in");
    for (const secret of ["wrong-password-in-log", password, "another-password-in-log", "135790"])
      expect(text).not.toContain(secret);
    for (const cookie of browser.cookies.values()) expect(text).not.toContain(cookie.slice(0, 30));
  }, 60_000);

  test("changed ends all other sessions and makes this one anew", async () => {
    const { browser, email } = await signedIn();
    const elsewhere = freshBrowser();
    await elsewhere.post("/auth/sign-in", { email, password });
    const before = browser.cookies.get("__Secure-threadmill_session");
    expect(
      await browser.post("/account/password", { password: "not it", new_password: "quite another" }),
    ).toMatchObject({
      status: 403,
      json: { code: "wrong_password" },
    });
    expect(await elsewhere.get("/me")).toMatchObject({ status: 200 });
    expect(await browser.post("/account/password", { password, new_password: "quite another" })).toMatchObject({
      status: 200,
    });
    expect(browser.cookies.get("__Secure-threadmill_session")).not.toBe(before);
    expect(await browser.get("/me")).toMatchObject({ status: 200 });
    expect(await elsewhere.get("/me")).toMatchObject({ status: 401 });
    const old = openBrowser(api);
    old.cookies.set("__Secure-threadmill_session", before as string);
    expect(await old.get("/me")).toMatchObject({ status: 401 });
    expect(await freshBrowser().post("/auth/sign-in", { email, password })).toMatchObject({ status: 403 });
    expect(await freshBrowser().post("/auth/sign-in", { email, password: "quite another" })).toMatchObject({
      status: 200,
    });
  });
});

test("a session that was put into the browser is not the one that signing in makes", async () => {
  const attacker = await signedIn();
  const { email, user } = await person();
  const victim = freshBrowser();
  const planted = attacker.browser.cookies.get("__Secure-threadmill_session") as string;
  victim.cookies.set("__Secure-threadmill_session", planted);
  await victim.post("/auth/sign-in", { email, password });
  expect(victim.cookies.get("__Secure-threadmill_session")).not.toBe(planted);
  expect((await victim.get("/me")).json.user.id).toBe(user);
  expect(await attacker.browser.get("/me")).toMatchObject({ status: 401 });
});

test.each([
  ["another origin", { origin: "https://evil.test" }],
  ["no header of a page", { "x-threadmill-page": "" }],
])("signing in for a page of %s is refused", async (name, headers) => {
  const { email } = await person();
  const browser = freshBrowser();
  const own: Record<string, string> = { ...headers };
  const asked =
    name === "no header of a page"
      ? api.call("POST", "/auth/sign-in", {
          token: null,
          headers: { origin: "https://threadmill.test" },
          body: { email, password },
        })
      : browser.post("/auth/sign-in", { email, password }, own);
  expect(await asked).toMatchObject({ status: 403, json: { code: "page_not_ours" } });
  expect(browser.cookies.size).toBe(0);
});

describe("sessions", () => {
  test("are listed, and revoked here at once and elsewhere within seconds", async () => {
    const other = await startTestApi({ DATABASE_URL: api.databaseUrl });
    const { browser, email } = await signedIn();
    const second = freshBrowser();
    await second.post("/auth/sign-in", { email, password });
    const asks = (at: TestApi) => at.call("GET", "/me", { token: null, headers: { cookie: second.cookieHeader() } });
    expect((await asks(other)).status).toBe(200);
    const { items } = (await browser.get("/account/sessions")).json;
    expect(items).toHaveLength(2);
    expect(items).toContainEqual(
      expect.objectContaining({
        current: false,
        browser: "Test browser",
        address: expect.stringMatching(/^198\.51\./),
      }),
    );
    const { id } = items.find((one: { current: boolean }) => !one.current);
    expect(await browser.post(`/account/sessions/${id}/revoke`)).toMatchObject({ status: 200 });
    expect((await asks(api)).status).toBe(401);
    await expect.poll(async () => (await asks(other)).status, { timeout: 20_000, interval: 250 }).toBe(401);
    expect(await browser.post(`/account/sessions/${id}/revoke`)).toMatchObject({ status: 404 });
    await other.close();
  }, 60_000);

  test("of others cannot be revoked, and a token has none", async () => {
    const [ann, bob] = [await signedIn(), await signedIn()];
    const { id } = (await bob.browser.get("/account/sessions")).json.items[0];
    expect(await ann.browser.post(`/account/sessions/${id}/revoke`)).toMatchObject({ status: 404 });
    expect(await bob.browser.get("/me")).toMatchObject({ status: 200 });
    expect(await api.call("GET", "/account")).toMatchObject({ status: 403, json: { code: "session_needed" } });
  });

  test("end when one signs out, with their cookie", async () => {
    const { browser } = await signedIn();
    const cookie = browser.cookies.get("__Secure-threadmill_session") as string;
    expect(await browser.post("/auth/sign-out")).toMatchObject({ status: 200 });
    expect(browser.cookies.has("__Secure-threadmill_session")).toBe(false);
    browser.cookies.set("__Secure-threadmill_session", cookie);
    expect(await browser.get("/me")).toMatchObject({ status: 401 });
  });

  test("are brief where they are not to be remembered", async () => {
    const { email } = await person();
    const browser = freshBrowser();
    await browser.post("/auth/sign-in", { email, password, remember: false });
    expect(browser.heard.find((one) => one.includes("threadmill_session="))).not.toMatch(/max-age/i);
    const [session] = (await browser.get("/account/sessions")).json.items;
    expect(Date.parse(session.expires_at) - Date.now()).toBeLessThan(43_200_001);
  });

  test("survive a restart of the server", async () => {
    const first = await startTestApi({ DATABASE_URL: api.databaseUrl });
    const { browser } = await signedIn(first);
    await first.close();
    expect((await api.call("GET", "/me", { token: null, headers: { cookie: browser.cookieHeader() } })).status).toBe(
      200,
    );
  });
});

test("a crash loses no session that somebody was given, and leaves no owner half made", async () => {
  await using database = await createTestDatabase();
  const env = { DATABASE_URL: database.url, THREADMILL_SECRET_KEY: "00".repeat(32), THREADMILL_TOKEN: testToken };
  const first = await startServerProcess(env);
  const link = /#setup=([\w-]+)/.exec(first.output())?.[1] as string;
  const ask = async (url: string, path: string, cookie: string, body?: object) =>
    fetch(`${url}/api/v2${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json", cookie, origin: url, "x-threadmill-page": "1" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const owner = { token: link, name: "Olga", email: "olga@example.com", password };
  const cut = ask(first.url, "/auth/setup", "", owner).then(
    (answer) => answer.headers.getSetCookie(),
    () => null,
  );
  await new Promise((resolve) => setImmediate(resolve));
  await first.kill();
  const cookies = await cut;
  const second = await startServerProcess(env);
  const again = /#setup=([\w-]+)/.exec(second.output())?.[1];
  // either nobody is there and another link is shown, or the owner is whole
  const set = again === undefined ? null : await ask(second.url, "/auth/setup", "", { ...owner, token: again });
  const signed = await ask(second.url, "/auth/sign-in", "", { email: owner.email, password });
  expect([set?.status ?? 200, signed.status]).toEqual([200, 200]);
  const cookie = (cookies ?? signed.headers.getSetCookie()).map((one) => one.split(";", 1)[0]).join("; ");
  await second.kill();
  const third = await startServerProcess(env);
  const me = await ask(third.url, "/me", cookie);
  expect([me.status, third.output().includes("#setup=")]).toEqual([200, false]);
  await third.kill();
}, 120_000);

describe("the second factor", () => {
  async function withFactor() {
    const who = await signedIn();
    const begun = await who.browser.post("/account/second-factor", { password });
    expect(begun).toMatchObject({ status: 200, json: { uri: expect.stringMatching(/^otpauth:\/\/totp\//) } });
    const { uri, recovery_codes } = begun.json;
    expect(recovery_codes).toHaveLength(10);
    // until it is confirmed, nobody is asked for it
    expect(await freshBrowser().post("/auth/sign-in", { email: who.email, password })).toMatchObject({
      json: { status: "signed_in" },
    });
    expect(await who.browser.post("/account/second-factor/confirm", { code: "000000" })).toMatchObject({ status: 403 });
    expect(await who.browser.post("/account/second-factor/confirm", { code: codeOf(uri) })).toMatchObject({
      status: 200,
    });
    expect(await who.browser.get("/me")).toMatchObject({ status: 200 });
    return { ...who, uri: uri as string, codes: recovery_codes as string[] };
  }

  test("is asked for after the password, and a code works once", async () => {
    const { email, uri } = await withFactor();
    const browser = freshBrowser();
    expect(await browser.post("/auth/sign-in", { email, password })).toMatchObject({
      status: 200,
      json: { status: "second_factor", methods: ["code", "recovery_code"] },
    });
    expect(browser.cookies.has("__Secure-threadmill_session")).toBe(false);
    expect(await browser.get("/me")).toMatchObject({ status: 401 });
    expect(await browser.post("/auth/second-factor", { code: "000000" })).toMatchObject({
      status: 403,
      json: { code: "wrong_code" },
    });
    const code = codeOf(uri);
    expect(await browser.post("/auth/second-factor", { code })).toMatchObject({ status: 200 });
    expect(await browser.get("/me")).toMatchObject({ status: 200 });
    const shoulder = freshBrowser();
    await shoulder.post("/auth/sign-in", { email, password });
    expect(await shoulder.post("/auth/second-factor", { code })).toMatchObject({
      status: 403,
      json: { code: "wrong_code" },
    });
    expect(await shoulder.get("/me")).toMatchObject({ status: 401 });
  });

  test("is not asked for in a browser that is trusted, until the password is another", async () => {
    const { email, uri } = await withFactor();
    const browser = freshBrowser();
    const go = async (word = password) => (await browser.post("/auth/sign-in", { email, password: word })).json.status;
    expect(await go()).toBe("second_factor");
    expect(await browser.post("/auth/second-factor", { code: codeOf(uri), trust: true })).toMatchObject({
      status: 200,
    });
    expect(await go()).toBe("signed_in");
    expect(await freshBrowser().post("/auth/sign-in", { email, password })).toMatchObject({
      json: { status: "second_factor" },
    });
    await browser.post("/account/password", { password, new_password: "quite another" });
    expect(await go("quite another")).toBe("second_factor");
  });

  test("can be a recovery code, once; what is kept of them is hashes", async () => {
    const { email, codes } = await withFactor();
    const kept = await pool().query("select row_to_json(f) as row from directory_second_factors f");
    for (const code of codes) expect(JSON.stringify(kept.rows)).not.toContain(code);
    const [first = "", second = ""] = codes;
    const browser = freshBrowser();
    await browser.post("/auth/sign-in", { email, password });
    expect(await browser.post("/auth/second-factor", { recovery_code: first.toUpperCase() })).toMatchObject({
      status: 200,
    });
    const again = freshBrowser();
    await again.post("/auth/sign-in", { email, password });
    expect(await again.post("/auth/second-factor", { recovery_code: first })).toMatchObject({ status: 403 });
    const hashes = JSON.parse(kept.rows[0].row.backup_codes) as string[];
    expect(
      await again.post("/auth/second-factor", { recovery_code: (hashes[1] as string).slice(0, 60) }),
    ).toMatchObject({
      status: 403,
    });
    expect(await again.post("/auth/second-factor", { recovery_code: second })).toMatchObject({ status: 200 });
  });

  test("cannot be guessed: after some codes one begins anew, and then it waits", async () => {
    const { email } = await withFactor();
    const browser = freshBrowser();
    const codes: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      await browser.post("/auth/sign-in", { email, password });
      for (let n = 0; n < 6; n += 1)
        codes.push((await browser.post("/auth/second-factor", { code: `00000${n}` })).json.code);
    }
    expect(codes).toContain("sign_in_expired");
    expect(codes.at(-1)).toBe("too_many_attempts");
  });

  test("is taken away, and its codes renewed, with the password alone", async () => {
    const { email, browser, codes } = await withFactor();
    expect(await browser.post("/account/second-factor", { password })).toMatchObject({
      status: 409,
      json: { code: "second_factor_on" },
    });
    const renewed = await browser.post("/account/second-factor/recovery-codes", { password });
    expect(renewed.json.recovery_codes).toHaveLength(10);
    expect(renewed.json.recovery_codes).not.toEqual(codes);
    expect(await browser.post("/account/second-factor/disable", { password: "not it" })).toMatchObject({ status: 403 });
    expect(await browser.post("/account/second-factor/disable", { password })).toMatchObject({ status: 200 });
    expect(await freshBrowser().post("/auth/sign-in", { email, password })).toMatchObject({
      json: { status: "signed_in" },
    });
  });
});

describe("guessing", () => {
  const guess = (browser: ReturnType<typeof openBrowser>, email: string) =>
    browser.post("/auth/sign-in", { email, password: "wrong wrong" });

  test("comes to a crawl, for addresses that nobody has too, and does not keep the person out", async () => {
    await forget();
    const { browser: known, email } = await signedIn();
    const nobody = `nobody-${Date.now()}@example.com`;
    for (const address of [email, nobody]) {
      const browser = freshBrowser();
      const statuses: number[] = [];
      for (let n = 0; n < 8; n += 1) statuses.push((await guess(browser, address)).status);
      expect(statuses.slice(0, 5)).toEqual([403, 403, 403, 403, 403]);
      expect(statuses.at(-1)).toBe(429);
      const last = await guess(browser, address);
      expect(last).toMatchObject({ json: { code: "too_many_attempts" } });
      expect(Number(last.headers["retry-after"])).toBeGreaterThan(0);
      // even the right password is not tried meanwhile
      expect(await browser.post("/auth/sign-in", { email: address, password })).toMatchObject({ status: 429 });
    }
    // by very many from as many addresses
    await pool().query("update directory_attempts set failures = 40, blocked_until = null");
    expect(await guess(freshBrowser(), email)).toMatchObject({ status: 403 });
    expect(await freshBrowser().post("/auth/sign-in", { email, password })).toMatchObject({ status: 429 });
    // where the person has signed in before, none of it matters
    known.cookies.delete("__Secure-threadmill_session");
    expect(await known.post("/auth/sign-in", { email, password })).toMatchObject({ status: 200 });
  }, 60_000);

  test("many at once counts one after the other", async () => {
    await forget();
    const { email } = await person();
    const browser = freshBrowser();
    const tries = await Promise.all(Array.from({ length: 20 }, () => guess(browser, email)));
    expect(tries.filter(({ status }) => status === 403).length).toBeLessThanOrEqual(5);
  });

  test("with an account of one's own wins nothing against another", async () => {
    await forget();
    const [mine, theirs] = [await person(), await person()];
    const browser = freshBrowser();
    await browser.post("/auth/sign-in", { email: mine.email, password });
    for (let n = 0; n < 5; n += 1) await guess(browser, theirs.email);
    await browser.post("/auth/sign-in", { email: mine.email, password });
    expect((await guess(browser, theirs.email)).status).toBe(429);
  });

  test("is counted by all processes together", async () => {
    await forget();
    const other = await startTestApi({ DATABASE_URL: api.databaseUrl, THREADMILL_TRUSTED_PROXIES: "127.0.0.1" });
    const { email } = await person();
    for (let n = 0; n < 5; n += 1) await guess(openBrowser(n % 2 === 0 ? api : other, "198.52.0.1"), email);
    expect((await guess(openBrowser(other, "198.52.0.1"), email)).status).toBe(429);
    await other.close();
  });
});

/** What an authenticator shows for an address that it was given: RFC 6238. */
function codeOf(uri: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const secret = (new URL(uri).searchParams.get("secret") as string).replace(/=+$/, "");
  const bits = [...secret].map((one) => letters.indexOf(one).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = (mac.at(-1) as number) & 15;
  return String((mac.readUInt32BE(at) & 0x7f_ff_ff_ff) % 1_000_000).padStart(6, "0");
}
