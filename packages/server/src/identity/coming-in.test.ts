import { Script } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOrganization } from "../features/organization/create.ts";
import { hashToken } from "../secrets/token.ts";
import { openBrowser } from "../testing/browser.ts";
import { type MailServer, startMailServer } from "../testing/mail-server.ts";
import { signIn } from "../testing/sign-in.ts";
import { startTestApi, type TestApi } from "../testing/test-api.ts";
import { pruneSignIn } from "./prune.ts";

const password = "correct horse battery";
let mail: MailServer;
let api: TestApi;
/** The same without mail. */
let bare: TestApi;
beforeAll(async () => {
  mail = await startMailServer();
  [api, bare] = await Promise.all([startTestApi({ THREADMILL_SMTP_URL: mail.url }), startTestApi()]);
});
afterAll(async () => {
  await Promise.all([api.close(), bare.close()]);
  await mail.close();
});

let people = 0;
async function invited(at: TestApi, token?: string) {
  people += 1;
  const email = `guest-${people}@example.com`;
  const as = token === undefined ? {} : { token };
  const user = (await at.call("POST", "/users", { body: { name: `Guest ${people}`, email }, ...as })).json.id as string;
  const answer = await at.call("POST", "/invitations", { body: { user }, ...as });
  expect(answer.status).toBe(201);
  const link = at === api ? await mail.linkTo(email, "invitation") : (answer.json.link.split("=")[1] as string);
  return { email, user, link, answer };
}

/** Somebody who came in by an invitation. */
async function member(at: TestApi) {
  const guest = await invited(at);
  const browser = openBrowser(at);
  const accepted = await browser.post("/auth/invitation/accept", { token: guest.link, name: "Gus", password });
  expect(accepted).toMatchObject({ status: 200, json: { status: "signed_in" } });
  return { ...guest, browser };
}

describe("an invitation", () => {
  test("goes by mail, is accepted once, and proves the address", async () => {
    const { email, user, link, answer } = await invited(api);
    expect(answer.json).toMatchObject({ email, user, mailed: true, link: null });
    expect((await api.call("GET", "/invitations")).json.items[0]).toMatchObject({ email, user });
    const browser = openBrowser(api);
    expect((await browser.post("/auth/invitation", { token: link })).json).toEqual({
      organization: "Threadmill",
      email,
      known: false,
    });
    const accept = { token: link, name: "Gus", password };
    expect(await browser.post("/auth/invitation/accept", { ...accept, password: "short" })).toMatchObject({
      status: 422,
      json: { code: "password_too_short" },
    });
    const both = await Promise.all([1, 2].map(() => openBrowser(api).post("/auth/invitation/accept", accept)));
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await browser.post("/auth/invitation/accept", accept)).toMatchObject({ status: 404 });
    await browser.post("/auth/sign-in", { email, password });
    expect((await browser.get("/account")).json).toMatchObject({
      identity: { email, name: "Gus", email_verified: true },
      organizations: [{ user, current: true }],
    });
    expect(await api.call("POST", "/invitations", { body: { user } })).toMatchObject({
      status: 409,
      json: { code: "user_signs_in" },
    });
  });

  test("without mail is a link in the answer, and proves nothing about the address", async () => {
    const { browser, answer } = await member(bare);
    expect(answer.json).toMatchObject({ mailed: false, link: expect.stringContaining("/welcome#invitation=") });
    expect((await browser.get("/account")).json.identity).toMatchObject({ email_verified: false });
  });

  test("that was taken back, made anew or is too old opens nothing", async () => {
    const { user, link, answer } = await invited(bare);
    const again = await bare.call("POST", "/invitations", { body: { user } });
    const open = (token: string) => openBrowser(bare).post("/auth/invitation/accept", { token, name: "x", password });
    expect(await open(link)).toMatchObject({ status: 404 });
    const newer = again.json.link.split("=")[1] as string;
    expect(await bare.call("POST", `/invitations/${answer.json.id}/revoke`, { body: {} })).toMatchObject({
      status: 404,
    });
    expect(await bare.call("POST", `/invitations/${again.json.id}/revoke`, { body: {} })).toMatchObject({
      status: 200,
    });
    expect(await open(newer)).toMatchObject({ status: 404, json: { code: "link_not_found" } });
    const old = await invited(bare);
    await bare.server.database.pool.query("update directory_invitations set expires_at = now() where user_id = $1", [
      old.user,
    ]);
    expect(await open(old.link)).toMatchObject({ status: 404 });
    const gone = await invited(bare);
    await bare.call("POST", `/users/${gone.user}/archive`, { body: {} });
    expect(await open(gone.link)).toMatchObject({ status: 404 });
  });

  test("is for those who may change settings, and for persons with an address", async () => {
    const agent = await signIn(bare, "agent");
    expect(await agent.call("POST", "/invitations", { body: { user: agent.user } })).toMatchObject({ status: 403 });
    expect(await agent.call("GET", "/invitations")).toMatchObject({ status: 403 });
    const nameless = (await bare.call("POST", "/users", { body: { name: "No address" } })).json.id;
    expect(await bare.call("POST", "/invitations", { body: { user: nameless } })).toMatchObject({
      status: 409,
      json: { code: "email_missing" },
    });
  });

  test("takes who signs in already by the password that they have, into another organization", async () => {
    const { email, browser, user } = await member(bare);
    const { pool } = bare.server.database;
    const other = await createOrganization(pool, { name: "Other", sandbox: true });
    const there = (await bare.call("POST", "/users", { token: other.token, body: { name: "Gus", email } })).json.id;
    const answer = await bare.call("POST", "/invitations", { token: other.token, body: { user: there } });
    const token = answer.json.link.split("=")[1];
    const elsewhere = openBrowser(bare);
    expect((await elsewhere.post("/auth/invitation", { token })).json).toMatchObject({
      organization: "Other",
      known: true,
    });
    expect(await elsewhere.post("/auth/invitation/accept", { token, password: "not my password" })).toMatchObject({
      status: 403,
      json: { code: "wrong_password" },
    });
    expect(await elsewhere.post("/auth/invitation/accept", { token, password })).toMatchObject({ status: 200 });
    const { organizations } = (await browser.get("/account")).json;
    expect(organizations).toHaveLength(2);
    // it works where it worked before, and goes over when told to
    expect((await browser.get("/me")).json.user.id).toBe(user);
    expect(await browser.post("/account/organization", { organization: other.id })).toMatchObject({ status: 200 });
    expect((await browser.get("/me")).json).toMatchObject({
      user: { id: there },
      organization: { name: "Other", sandbox: true },
    });
    const stranger = await createOrganization(pool, { name: "Strangers" });
    expect(await browser.post("/account/organization", { organization: stranger.id })).toMatchObject({ status: 404 });
    // who is let go in one goes on in the other
    await bare.call("POST", `/users/${there}/archive`, { token: other.token, body: {} });
    await expect
      .poll(async () => (await browser.get("/me")).json.user?.id, { timeout: 20_000, interval: 250 })
      .toBe(user);
    await bare.call("POST", `/users/${user}/archive`, { body: {} });
    await expect.poll(async () => (await browser.get("/me")).status, { timeout: 20_000, interval: 250 }).toBe(401);
    expect(await openBrowser(bare).post("/auth/sign-in", { email, password })).toMatchObject({
      status: 403,
      json: { code: "works_nowhere" },
    });
  }, 60_000);
});

describe("a new password", () => {
  test("is set by a link, once; it ends all sessions, and nobody hears whose address is known", async () => {
    const { email, browser } = await member(api);
    const stranger = openBrowser(api);
    const [known, unknown] = [
      await stranger.post("/auth/password-reset", { email }),
      await stranger.post("/auth/password-reset", { email: "nobody@example.com" }),
    ];
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    const token = await mail.linkTo(email, "reset");
    expect(await browser.get("/me")).toMatchObject({ status: 200 });
    const set = (value: string) => stranger.post("/auth/password-reset/confirm", { token, password: value });
    expect(await set("short")).toMatchObject({ status: 422 });
    const both = await Promise.all([set("quite another one"), set("quite another two")]);
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 404]);
    expect(await browser.get("/me")).toMatchObject({ status: 401 });
    expect(await stranger.post("/auth/sign-in", { email, password })).toMatchObject({ status: 403 });
    const now = both[0]?.status === 200 ? "quite another one" : "quite another two";
    // the browser that used the link is known from then on: guesses of others do not hold it up
    await api.server.database.pool.query(
      `insert into directory_attempts (key, failures, blocked_until) values ($1, 90, now() + interval '5 minutes')
on conflict (key) do update set failures = 90, blocked_until = excluded.blocked_until`,
      [hashToken(`account ${email}`)],
    );
    expect(await openBrowser(api).post("/auth/sign-in", { email, password: now })).toMatchObject({ status: 429 });
    expect(await stranger.post("/auth/sign-in", { email, password: now })).toMatchObject({ status: 200 });
    await api.server.database.pool.query("delete from directory_attempts");
    expect(mail.received.filter(({ to }) => to === "nobody@example.com")).toEqual([]);
    expect(mail.received.some(({ to, text }) => to === email && text.includes("Your password was changed"))).toBe(true);
  }, 60_000);

  test("can be asked for some times only", async () => {
    const { email } = await member(api);
    for (let n = 0; n < 8; n += 1) await openBrowser(api).post("/auth/password-reset", { email });
    await mail.linkTo(email, "reset");
    const count = () => mail.received.filter(({ to, text }) => to === email && text.includes("#reset=")).length;
    await expect.poll(count, { timeout: 20_000 }).toBe(3);
    await api.server.database.pool.query("delete from directory_attempts");
  });

  test("without mail is a link that an administrator is shown, for people of this organization alone", async () => {
    const { user, email, browser } = await member(bare);
    const { json } = await bare.call("POST", `/users/${user}/reset-link`, { body: {} });
    expect(json).toMatchObject({ mailed: false, link: expect.stringContaining("/welcome#reset=") });
    const token = json.link.split("=")[1];
    expect(await browser.post("/auth/password-reset/confirm", { token, password: "quite another" })).toMatchObject({
      status: 200,
    });
    expect(await openBrowser(bare).post("/auth/sign-in", { email, password: "quite another" })).toMatchObject({
      status: 200,
    });
    const { pool } = bare.server.database;
    const other = await createOrganization(pool, { name: "Third" });
    await pool.query(
      `insert into directory_memberships (identity, organization, lane, user_id)
select identity, $2, $3, $4 from directory_memberships where user_id = $1`,
      [user, other.id, other.lane, other.owner],
    );
    expect(await bare.call("POST", `/users/${user}/reset-link`, { body: {} })).toMatchObject({
      status: 409,
      json: { code: "works_elsewhere" },
    });
    expect(
      await bare.call("POST", `/users/${user}/reset-link`, {
        token: (await createOrganization(pool, { name: "4" })).token,
        body: {},
      }),
    ).toMatchObject({ status: 404 });
    const agent = await signIn(bare, "agent");
    expect(await agent.call("POST", `/users/${user}/reset-link`, { body: {} })).toMatchObject({ status: 403 });
  });
});

describe("another e-mail address", () => {
  test("takes effect when its link is opened; the old one hears of it", async () => {
    const { email, user, browser } = await member(api);
    const next = `new-${email}`;
    expect(await browser.post("/account/email", { email: next, password: "not it" })).toMatchObject({ status: 403 });
    expect(await browser.post("/account/email", { email: "no address", password })).toMatchObject({ status: 422 });
    expect((await browser.post("/account/email", { email: next.toUpperCase(), password })).json).toEqual({
      mailed: true,
      link: null,
    });
    expect((await browser.get("/account")).json.identity.email).toBe(email);
    const token = await mail.linkTo(next, "email");
    expect(await openBrowser(api).post("/auth/email/confirm", { token })).toMatchObject({ status: 200 });
    expect(await openBrowser(api).post("/auth/email/confirm", { token })).toMatchObject({ status: 404 });
    expect((await browser.get("/account")).json.identity).toMatchObject({ email: next, email_verified: true });
    expect((await api.call("GET", `/users/${user}`)).json.email).toBe(next);
    expect(await openBrowser(api).post("/auth/sign-in", { email: next, password })).toMatchObject({ status: 200 });
    await expect
      .poll(() => mail.received.some(({ to, text }) => to === email && text.includes(next)), { timeout: 20_000 })
      .toBe(true);
  });

  test("that somebody else has is refused at the end, and not told before", async () => {
    const [ann, bob] = [await member(bare), await member(bare)];
    const asked = await ann.browser.post("/account/email", { email: bob.email, password });
    expect(asked).toMatchObject({ status: 200, json: { mailed: false } });
    const token = asked.json.link.split("=")[1];
    expect(await ann.browser.post("/auth/email/confirm", { token })).toMatchObject({
      status: 409,
      json: { code: "email_taken" },
    });
  });
});

test("a mail server that is away fails the invitation, in words", async () => {
  const away = await startTestApi({ THREADMILL_SMTP_URL: "smtp://127.0.0.1:1" });
  const user = (await away.call("POST", "/users", { body: { name: "G", email: "g@example.com" } })).json.id;
  expect(await away.call("POST", "/invitations", { body: { user } })).toMatchObject({
    status: 409,
    json: { code: "mail_failed" },
  });
  expect((await away.call("GET", "/invitations")).json.items).toEqual([]);
  await away.close();
}, 60_000);

test("what is over is taken away", async () => {
  const { browser } = await member(bare);
  const { pool } = bare.server.database;
  await pool.query("insert into directory_attempts (key, last_at) values ('old', now() - interval '2 days')");
  await pool.query(
    "insert into directory_verifications (id, identifier, value, expires_at) values (gen_random_uuid(), 'old', '', now())",
  );
  await pruneSignIn(pool);
  const { rows } = await pool.query(
    "select (select count(*)::int from directory_attempts where key = 'old') + (select count(*)::int from directory_verifications where identifier = 'old') as n",
  );
  expect(rows).toEqual([{ n: 0 }]);
  expect(await browser.get("/me")).toMatchObject({ status: 200 });
});

test("the page for links takes nothing from elsewhere", async () => {
  for (const [url, type] of [
    ["/welcome", "text/html"],
    ["/welcome.js", "text/javascript"],
    ["/welcome.css", "text/css"],
  ] as const) {
    const answer = await api.raw({ url });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toContain(type);
    expect(answer.headers["content-security-policy"]).toMatch(/default-src 'none'; script-src 'self'/);
    expect(answer.body).not.toMatch(/https?:\/\//);
  }
  expect((await api.raw({ url: "/welcome" })).body).not.toMatch(/ on\w+=|<script>|style=/);
  // it is a program that can be read
  const script = (await api.raw({ url: "/welcome.js" })).body;
  expect(() => new Script(`(async () => { ${script} })`)).not.toThrow();
});
