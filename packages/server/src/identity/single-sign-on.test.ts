import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Browser, openBrowser } from "../testing/browser.ts";
import { type Claims, startProvider, type TestProvider } from "../testing/oidc-provider.ts";
import { signIn } from "../testing/sign-in.ts";
import { startTestApi, type TestApi, testPublicUrl } from "../testing/test-api.ts";

const ann: Claims = { sub: "ann-at-provider", email: "ann@corp.example", email_verified: true, name: "Ann Provider" };
let provider: TestProvider;
let api: TestApi;
beforeAll(async () => {
  provider = await startProvider(ann);
  api = await startTestApi({
    THREADMILL_OIDC_ISSUER: provider.issuer,
    THREADMILL_OIDC_CLIENT_ID: provider.clientId,
    THREADMILL_OIDC_CLIENT_SECRET: provider.clientSecret,
    THREADMILL_OIDC_NAME: "Corp",
  });
});
afterAll(async () => {
  await api.close();
  await provider.close();
});
let n = 0;
beforeEach(() => {
  n += 1;
  provider.person = { ...ann, sub: `sub-${n}`, email: `ann-${n}@corp.example` };
  provider.twist = {};
  provider.forge = false;
});

/** Goes to the provider and comes back, as a browser does; gives where it ends. */
async function comeIn(browser: Browser, cookies = true): Promise<string> {
  const begun = await browser.post("/auth/single-sign-on");
  expect(begun.status).toBe(200);
  const there = await fetch(begun.json.url, { redirect: "manual" });
  const back = new URL(there.headers.get("location") as string);
  expect(`${back.origin}${back.pathname}`).toBe(`${testPublicUrl}/api/v2/auth/callback/oidc`);
  const answer = await api.raw({
    url: `${back.pathname}${back.search}&session_state=x`,
    headers: cookies ? { cookie: browser.cookieHeader() } : {},
  });
  browser.take(answer.headers);
  expect(answer.statusCode).toBe(302);
  return answer.headers["location"] as string;
}

async function invite(email: string) {
  const user = (await api.call("POST", "/users", { body: { name: "Ann", email } })).json.id as string;
  await api.call("POST", "/invitations", { body: { user } });
  return user;
}

describe("single sign-on", () => {
  test("takes in who was invited, and knows them again by what the provider calls them", async () => {
    const user = await invite(provider.person.email);
    const browser = openBrowser(api);
    expect((await browser.get("/auth/ways")).json).toMatchObject({ single_sign_on: { name: "Corp" } });
    expect(await comeIn(browser)).toBe(`${testPublicUrl}/`);
    expect((await browser.get("/me")).json.user.id).toBe(user);
    expect((await browser.get("/account")).json.identity).toMatchObject({ name: "Ann Provider", email_verified: true });
    // another address at the provider is the same person
    provider.person = { ...provider.person, email: "other@corp.example" };
    const again = openBrowser(api);
    expect(await comeIn(again)).toBe(`${testPublicUrl}/`);
    expect((await again.get("/me")).json.user.id).toBe(user);
    const { rows } = await api.server.database.pool.query("select row_to_json(a) as row from directory_accounts a");
    expect(rows.map(({ row }) => [row.access_token, row.id_token, row.refresh_token])).toEqual(
      rows.map(() => [null, null, null]),
    );
  });

  test("takes in who signs in here already, by an address that both know is theirs", async () => {
    const known = await signIn(api, "agent", { email: provider.person.email });
    const browser = openBrowser(api);
    expect(await comeIn(browser)).toBe(`${testPublicUrl}/`);
    expect((await browser.get("/me")).json.user.id).toBe(known.user);
  });

  test.each([
    ["nobody invited", {}, async () => {}],
    ["was invited by an address that the provider does not vouch for", { email_verified: false }, invite],
  ])("leaves out who %s", async (_, claims, before) => {
    provider.person = { ...provider.person, ...claims };
    await before(provider.person.email);
    const browser = openBrowser(api);
    expect(await comeIn(browser)).toMatch(/\/welcome\?error=/);
    expect(await browser.get("/me")).toMatchObject({ status: 401 });
  });

  test("does not give an identity away by an address that the provider does not vouch for, or that was never proven here", async () => {
    const known = await signIn(api, "agent", { email: provider.person.email });
    provider.person = { ...provider.person, email_verified: false };
    expect(await comeIn(openBrowser(api))).toMatch(/error=account_not_linked/);
    provider.person = { ...provider.person, email_verified: true };
    await api.server.database.pool.query("update directory_identities set email_verified = false where id = $1", [
      known.identity,
    ]);
    expect(await comeIn(openBrowser(api))).toMatch(/error=account_not_linked/);
  });

  test.each([
    ["of another time", { exp: 1 }],
    ["for somebody else", { aud: "another" }],
    ["by another provider", { iss: "https://evil.test" }],
    ["of another sign-in", { nonce: "replayed" }],
  ])("believes no proof %s", async (_, twist) => {
    await invite(provider.person.email);
    provider.twist = twist;
    const browser = openBrowser(api);
    expect(await comeIn(browser)).toMatch(/\/welcome\?error=/);
    expect(await browser.get("/me")).toMatchObject({ status: 401 });
  });

  test("believes no proof with another's signature", async () => {
    await invite(provider.person.email);
    provider.forge = true;
    expect(await comeIn(openBrowser(api))).toMatch(/\/welcome\?error=/);
  });

  test("goes on only in the browser that began it", async () => {
    await invite(provider.person.email);
    const browser = openBrowser(api);
    expect(await comeIn(browser, false)).toMatch(/error=state/);
    expect(await browser.get("/me")).toMatchObject({ status: 401 });
  });

  test("sends nobody elsewhere", async () => {
    for (const query of [
      "",
      "?code=x",
      "?state=x&code=y",
      "?error=access_denied&state=z",
      "?code[]=1&state=//evil.test",
    ]) {
      const answer = await api.raw({ url: `/api/v2/auth/callback/oidc${query}` });
      expect([302, 422]).toContain(answer.statusCode);
      if (answer.statusCode === 302)
        expect(answer.headers["location"]).toMatch(/^https:\/\/threadmill\.test\/welcome\?error=/);
    }
  });
});

test("where there is no provider it says so", async () => {
  const without = await startTestApi();
  expect(await openBrowser(without).post("/auth/single-sign-on")).toMatchObject({
    status: 404,
    json: { code: "no_single_sign_on" },
  });
  await without.close();
});

test("a provider that is away at the start is asked again when it is needed", async () => {
  const late = await startProvider({ ...ann, sub: "late", email: "late@corp.example" });
  await late.close();
  const lonely = await startTestApi({
    THREADMILL_OIDC_ISSUER: late.issuer,
    THREADMILL_OIDC_CLIENT_ID: "x",
    THREADMILL_OIDC_CLIENT_SECRET: "y",
  });
  const answer = await openBrowser(lonely).post("/auth/single-sign-on");
  expect(answer).toMatchObject({ status: 404, json: { code: "single_sign_on_away" } });
  await lonely.close();
});
