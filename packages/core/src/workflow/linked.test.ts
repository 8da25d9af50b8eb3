import { describe, expect, test } from "vitest";
import { indexSettings } from "../domain/settings-index.ts";
import { idOf, settings, settingsRows } from "../testing/documents.ts";
import { property } from "../testing/settings.ts";
import { Linked, Surroundings } from "./linked.ts";
import { namesOfRow } from "./settings-names.ts";

const [billing] = settingsRows.teams;
const renamed = indexSettings({
  ...settingsRows,
  version: 2,
  teams: [
    { ...billing!, slug: "money" },
    { ...settingsRows.teams[1]!, slug: "billing", archived_at: null },
  ],
});

describe("what is linked to the settings", () => {
  test("is made when first asked for, and again only when a name that it looked up has changed", () => {
    const surroundings = new Surroundings(settings);
    let made = 0;
    const team = new Linked(surroundings, (given) => {
      made += 1;
      return given.team("Billing")?.id ?? null;
    });
    expect(made).toBe(0);
    expect([team.get(), team.get(), made]).toEqual([idOf(20), idOf(20), 1]);
    surroundings.change(renamed, ["mailbox/support", "user/billing"]);
    expect([surroundings.settings, team.get(), made]).toEqual([renamed, idOf(20), 1]);
    surroundings.change(renamed, ["team/billing"]);
    expect([team.get(), made]).toEqual([idOf(21), 2]);
    // it has been let go of once, and is held again
    surroundings.change(settings, ["team/billing"]);
    expect([team.get(), made]).toEqual([idOf(20), 3]);
  });

  test("knows also what it did not find", () => {
    const surroundings = new Surroundings(settings);
    const found = new Linked(surroundings, (given) => given.calendar("night") ?? given.property("customer", "mood"));
    expect(found.get()).toBeNull();
    const mood = property({ id: idOf(61), noun: "customer", name: "mood", type: "text" });
    surroundings.change(indexSettings({ ...settingsRows, properties: [mood] }), namesOfRow("property", mood));
    expect(found.get()).toEqual(mood);
  });

  test("is let go of no more by whoever released it", () => {
    const surroundings = new Surroundings(settings);
    let forgotten = 0;
    const make = () =>
      surroundings.make(
        (given) => given.user("ann@acme.test"),
        () => (forgotten += 1),
      );
    const first = make();
    make();
    first.release();
    surroundings.change(settings, ["user/ann@acme.test"]);
    expect([first.made?.id, forgotten]).toEqual([idOf(11), 1]);
    first.release();
  });

  test("is held by no name any more once it is released, or a name of it has changed", () => {
    const surroundings = new Surroundings(settings);
    const both = new Linked(surroundings, (given) => [given.team("billing"), given.mailbox("support")]);
    const one = new Linked(surroundings, (given) => given.team("billing"));
    both.release();
    for (const each of [both, one, both]) each.get();
    expect(surroundings.held).toBe(2);
    surroundings.change(settings, ["mailbox/support"]);
    expect(surroundings.held).toBe(1);
    both.get();
    both.release();
    expect(surroundings.held).toBe(1);
    one.release();
    expect([surroundings.held, one.get()?.id]).toEqual([0, idOf(20)]);
  });

  test("rows of the settings are named by id, short name, address, and by what stands for the only one", () => {
    expect(namesOfRow("team", billing!)).toEqual([`team/${idOf(20)}`, "team/billing"]);
    expect(namesOfRow("user", settingsRows.users[0]!)).toEqual([`user/${idOf(10)}`]);
    expect(namesOfRow("user", settingsRows.users[1]!)).toEqual([`user/${idOf(11)}`, "user/ann@acme.test"]);
    expect(namesOfRow("calendar", settingsRows.calendars[0]!)).toContain("calendar/business_hours");
    expect(namesOfRow("property", settingsRows.properties[0]!)).toContain("property/customer.plan");
  });
});
