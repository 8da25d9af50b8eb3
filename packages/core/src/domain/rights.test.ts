import { describe, expect, test } from "vitest";
import type { Decision } from "./decide.ts";
import type { Mailbox, Role, Settings } from "../model/settings.ts";
import { scene } from "../testing/scene.ts";
import { actors, ids, sampleIndex, sampleSettings, testId } from "../testing/settings.ts";
import { isPermission, permissionFacts, permissions } from "./permissions.ts";
import { everywhere } from "./reach.ts";
import { beyond, builtInRoles, grantsOf, grantsOfRole, isBuiltIn } from "./roles.ts";

const { ben, cleo, dan } = ids.users;
const { support, sales } = ids.mailboxes;
const role = (rights: Role["rights"], patch: Partial<Role> = {}): Role => ({
  id: testId(70),
  slug: "own",
  name: "Own",
  rights,
  archived_at: null,
  ...patch,
});

/** The sample organization with some mailboxes kept to members, and Ben in a role of its own. */
function bounded(kept: Readonly<Record<string, Partial<Mailbox>>>, own: Role | null = null) {
  const settings: Partial<Settings> = {
    mailboxes: sampleSettings.mailboxes.map((row) => ({ ...row, ...kept[row.id] })),
    roles: own === null ? [] : [own],
    users: sampleSettings.users.map((row) => (row.id === ben && own !== null ? { ...row, role: own.id } : row)),
  };
  return sampleIndex(settings);
}

describe("roles", () => {
  test("have rights of the table alone, and what cannot be limited everywhere", () => {
    for (const grants of Object.values(builtInRoles)) {
      for (const [name, scope] of grants) expect(permissionFacts(name).scoped || scope === "everywhere").toBe(true);
    }
    expect(["owner", "light_agent", "toString", testId(70)].map(isBuiltIn)).toEqual([true, true, false, false]);
    expect(["customers.read", "toString"].map(isPermission)).toEqual([true, false]);
  });

  test("of assistants never hold what is for people, whatever they are given", () => {
    const all = role(Object.fromEntries(permissions.map((name) => [name, "everywhere"])));
    const kept = [...grantsOf({ kind: "assistant", role: all.id, archived_at: null }, [all]).keys()];
    expect(kept).toEqual(permissions.filter((name) => permissionFacts(name).people !== true));
    for (const name of ["workflows.publish", "settings.write", "users.write", "tokens.write", "customers.erase"])
      expect(kept).not.toContain(name);
    expect(grantsOf({ kind: "person", role: all.id, archived_at: null }, [all]).size).toBe(permissions.length);
  });

  test("that are archived or gone, and archived users, hold nothing", () => {
    const own = role({ "customers.read": "own" });
    const archived_at = "2026-01-01T00:00:00.000Z";
    expect(grantsOfRole({ ...own, archived_at }).size).toBe(0);
    expect(grantsOf({ kind: "person", role: own.id, archived_at: null }, []).size).toBe(0);
    expect(grantsOf({ kind: "person", role: "owner", archived_at }, []).size).toBe(0);
  });

  test("of one's own keep no words that are no rights, nor a limit where there can be none", () => {
    const own = role({ "customers.read": "own", "settings.read": "own", flies: "everywhere" });
    expect([...grantsOfRole(own)]).toEqual([
      ["customers.read", "own"],
      ["settings.read", "everywhere"],
    ]);
  });

  test("give away no more than their holder has", () => {
    const { owner, admin, supervisor, agent } = builtInRoles;
    expect(beyond(owner, owner)).toBeNull();
    expect(beyond(admin, owner)).toBe("owners.write");
    expect(beyond(admin, supervisor)).toBeNull();
    expect(beyond(supervisor, agent)).toBeNull();
    expect(beyond(agent, supervisor)).not.toBeNull();
    expect(beyond(agent, grantsOfRole(role({ "customers.read": "everywhere" })))).toBe("customers.read");
    expect(beyond(agent, grantsOfRole(role({ "customers.read": "own" })))).toBeNull();
  });
});

describe("a reach", () => {
  test("has no end where no mailbox keeps to its members, and for who may do everything", () => {
    expect(sampleIndex().reach(actors.agent, "conversations.read")).toBe(everywhere);
    const kept = bounded({ [support]: { access: "members" } });
    expect(kept.reach(actors.admin, "conversations.read")).toBe(everywhere);
    expect(kept.reach(actors.system, "conversations.read")).toBe(everywhere);
    expect(kept.rights(testId(999)).size).toBe(0);
  });

  test.each<[string, Partial<Mailbox>, boolean]>([
    ["nobody", {}, false],
    ["the user", { users: [ben] }, true],
    ["another", { users: [cleo] }, false],
    ["the user's team", { teams: [ids.teams.billing] }, true],
    ["a team without the user", { teams: [ids.teams.nobody] }, false],
  ])("of a mailbox that keeps to %s", (_, members, seen) => {
    const kept = bounded({ [support]: { access: "members", ...members } });
    const reach = kept.reach(actors.agent, "conversations.read");
    expect(reach?.mailboxes?.includes(support) ?? true).toBe(seen);
    expect(reach?.mailboxes?.includes(sales) ?? true).toBe(true);
    expect(kept.rights(ben)).toBe(kept.rights(ben));
  });

  test("of teams or one's own stays one within all mailboxes", () => {
    const own = role({ "conversations.read": "teams", "conversations.write": "own" });
    const open = bounded({}, own);
    expect(open.reach(actors.agent, "conversations.read")).toEqual({
      mailboxes: null,
      of: "teams",
      user: ben,
      teams: [ids.teams.billing, ids.teams.support],
    });
    expect(open.reach(actors.agent, "conversations.write")).toMatchObject({ mailboxes: null, of: "own", user: ben });
    expect(open.reach(actors.agent, "messages.send")).toBeNull();
    expect(
      bounded({ [sales]: { access: "members", users: [dan] } }, own).reach(actors.agent, "conversations.read"),
    ).toMatchObject({
      mailboxes: [support, ids.mailboxes.desk, ids.mailboxes.former],
      of: "teams",
    });
  });
});

const codeOf = ({ answer }: Decision): string => (answer.ok ? "done" : answer.code);
const idIn = ({ answer }: Decision, name: string): string =>
  answer.ok ? (answer.result[name] as string) : expect.fail(answer.message);
const from = "+14155550101";

/** Ben may not see what is in `support`; a customer wrote there, and on e-mail, which is in `sales`. */
function walled(own: Role | null = null) {
  const settings = bounded({ [support]: { access: "members" } }, own);
  const play = scene({ settings });
  const sms = play.issue("message.receive", { channel: "sms", from, text: "hi" });
  const customer = idIn(sms, "customer");
  play.issue("customer.upsert", { customer, email: "eve@example.com" });
  const mail = play.issue("message.receive", { channel: "email", from: "eve@example.com", text: "hi" });
  const hidden = { conversation: idIn(sms, "conversation"), message: idIn(sms, "message") };
  const seen = { conversation: idIn(mail, "conversation"), message: idIn(mail, "message") };
  return { play, customer, hidden, seen };
}
const agent = { actor: actors.agent };

describe("a decision", () => {
  test("answers what is out of reach as what is not there", () => {
    const { play, hidden, seen, customer } = walled();
    for (const [type, input] of [
      ["conversation.close", {}],
      ["conversation.add_tags", { tags: ["x"] }],
      ["conversation.assign", { user: ben }],
      ["message.note", { text: "x" }],
      ["message.send", { text: "x" }],
    ] as const) {
      const no = play.issue(type, { ...input, conversation: hidden.conversation }, agent);
      expect(no.answer).toEqual(play.issue(type, { ...input, conversation: testId(9) }, agent).answer);
      expect(codeOf(no)).toBe("conversation_not_found");
      expect(codeOf(play.issue(type, { ...input, conversation: seen.conversation }, agent))).toBe("done");
    }
    const tags = { tags: ["x"] };
    expect(codeOf(play.issue("message.tag", { ...tags, message: hidden.message }, agent))).toBe("message_not_found");
    expect(codeOf(play.issue("message.tag", { ...tags, message: seen.message }, agent))).toBe("done");
    const merge = (conversation: string, into: string) =>
      codeOf(play.issue("conversation.merge", { conversation, into }, agent));
    expect(merge(hidden.conversation, seen.conversation)).toBe("conversation_not_found");
    expect(merge(seen.conversation, hidden.conversation)).toBe("conversation_not_found");
    expect(codeOf(play.issue("conversation.move", { conversation: seen.conversation, mailbox: support }, agent))).toBe(
      "mailbox_not_found",
    );
    expect(codeOf(play.issue("conversation.start", { channel: "sms", customer }, agent))).toBe("channel_not_found");
    expect(codeOf(play.issue("conversation.start", { channel: "email", customer }, agent))).toBe("done");
  });

  test("goes by what a thread was merged into", () => {
    const { play, hidden, seen } = walled();
    expect(
      codeOf(play.issue("conversation.merge", { conversation: hidden.conversation, into: seen.conversation })),
    ).toBe("done");
    expect(codeOf(play.issue("message.tag", { tags: ["x"], message: hidden.message }, agent))).toBe("done");
  });

  test("closes a customer as far as it reaches", () => {
    const { play, customer } = walled();
    expect(play.issue("customer.close", { customer }, agent).answer).toMatchObject({ result: { conversations: 1 } });
    expect(play.issue("customer.close", { customer }).answer).toMatchObject({ result: { conversations: 1 } });
  });

  test("finds no conversation of others' where one is begun", () => {
    const own = role({ "conversations.write": "own" });
    const { play, customer } = walled(own);
    expect(codeOf(play.issue("conversation.start", { channel: "email", customer }, agent))).toBe(
      "conversation_elsewhere",
    );
    expect(codeOf(play.issue("conversation.start", { channel: "email", to: "eve@example.com" }, agent))).toBe(
      "conversation_elsewhere",
    );
    expect(codeOf(play.issue("conversation.start", { channel: "email", to: "new@example.com" }, agent))).toBe("done");
  });

  test("of a workflow has the rights that its publisher has now", () => {
    const { play, hidden, seen } = walled();
    const workflow = { actor: { kind: "workflow", id: testId(200), publisher: ben } } as const;
    expect(codeOf(play.issue("conversation.close", { conversation: hidden.conversation }, workflow))).toBe(
      "conversation_not_found",
    );
    expect(codeOf(play.issue("conversation.close", { conversation: seen.conversation }, workflow))).toBe("done");
  });

  test("uses no permission that the token lacks", () => {
    const { play, seen } = walled();
    const close = (scopes: string[]) =>
      codeOf(play.issue("conversation.close", { conversation: seen.conversation }, { ...agent, scopes }));
    expect(close(["conversations.read"])).toBe("not_permitted");
    expect(close(["conversations.write"])).toBe("done");
    // a token gives nothing that its user has not
    const erase = play.issue("customer.erase", { customer: testId(9) }, { ...agent, scopes: ["customers.erase"] });
    expect(codeOf(erase)).toBe("not_permitted");
  });
});
