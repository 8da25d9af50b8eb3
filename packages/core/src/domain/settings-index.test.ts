import { describe, expect, test } from "vitest";
import type { Actor } from "../model/event.ts";
import { actors, ids, sampleIndex, sampleSettings } from "../testing/settings.ts";
import { isEventType } from "./events.ts";
import { permissions, type Permission } from "./permissions.ts";
import { builtInRoles } from "./roles.ts";

const settings = sampleIndex({
  calendars: [{ id: "cal", slug: "office", name: "Office", calendar: {} as never, archived_at: null }],
});

describe("settings", () => {
  test("are found by id or name, archived ones by id alone", () => {
    expect(settings.user(ids.users.ben)?.name).toBe("Ben");
    expect(settings.user("BEN@acme.test")?.name).toBe("Ben");
    expect(settings.user("dan@acme.test")).toBeNull();
    expect(settings.user(ids.users.dan)?.name).toBe("Dan");
    expect(settings.team("billing")?.id).toBe(ids.teams.billing);
    expect(settings.mailbox("sales")?.id).toBe(ids.mailboxes.sales);
    expect(settings.channel("sms")?.id).toBe(ids.channels.sms);
    expect(settings.calendar("office")?.id).toBe("cal");
    expect(settings.channel("former")).toBeNull();
    expect(settings.version).toBe(sampleSettings.version);
  });

  test("know the definitions of properties by noun and name", () => {
    expect(settings.property("customer", "choice")?.options).toEqual(["free", "pro"]);
    expect(settings.property("conversation", "other")).toBeNull();
    const archived = sampleIndex({
      properties: sampleSettings.properties.map((row) => ({ ...row, archived_at: "2026-01-01T00:00:00.000Z" })),
    });
    expect(archived.property("customer", "choice")).toBeNull();
  });
});

const working = permissions.filter((permission) => builtInRoles.agent.has(permission));
const cases: readonly { who: string; actor: Actor; may: readonly Permission[] }[] = [
  { who: "an admin", actor: actors.admin, may: permissions.filter((permission) => permission !== "owners.write") },
  { who: "an agent", actor: actors.agent, may: working },
  { who: "an assistant", actor: actors.assistant, may: working },
  { who: "an archived user", actor: actors.archived, may: [] },
  { who: "a channel", actor: actors.channel, may: permissions },
  { who: "the system", actor: actors.system, may: permissions },
  {
    who: "a workflow of an admin",
    actor: actors.workflow,
    may: permissions.filter((permission) => permission !== "owners.write"),
  },
  { who: "a workflow of an archived user", actor: { ...actors.workflow, publisher: ids.users.dan }, may: [] },
  { who: "a workflow of nobody", actor: { kind: "workflow", id: "w" }, may: [] },
  { who: "a user of another organization", actor: { kind: "user", id: "elsewhere" }, may: [] },
  { who: "a user without an id", actor: { kind: "user", id: null }, may: [] },
];
test.each(cases)("$who may do what the role says", ({ actor, may }) => {
  expect(permissions.filter((permission) => settings.permits(actor, permission))).toEqual(may);
  expect(permissions.filter((permission) => settings.reach(actor, permission) !== null)).toEqual(may);
});

test("only words of the table are events", () => {
  expect([isEventType("customer.created"), isEventType("toString")]).toEqual([true, false]);
});
