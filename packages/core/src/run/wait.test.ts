import { describe, expect, test } from "vitest";
import { indexSettings } from "../domain/settings-index.ts";
import { officeSettings } from "../testing/mill.ts";
import { scopeOf } from "../testing/scope.ts";
import { sampleIndex } from "../testing/settings.ts";
import type { WaitStep } from "../workflow/compiled.ts";
import { afterDuration, dueAt } from "./wait.ts";

const office = indexSettings(officeSettings);
// a Friday: noon in New York
const at = "2026-11-20T17:00:00.000Z";
const scope = scopeOf({}, { at, zone: "America/New_York" });
const step = (patch: Partial<WaitStep>): WaitStep => ({
  kind: "wait",
  id: "hold",
  next: null,
  for: null,
  until: null,
  calendar: null,
  unless: null,
  onInterrupt: null,
  onError: null,
  ...patch,
});
const until = (value: unknown): WaitStep => step({ until: { static: true, reads: [], resolve: () => value } });
const hours = (n: number) => ({ days: 0, seconds: n * 3600 });

describe("when a wait is over", () => {
  test.each([
    ["plain time", step({ for: hours(2) }), "2026-11-20T19:00:00.000Z"],
    ["a plain day has 24 hours", step({ for: { days: 1, seconds: 0 } }), "2026-11-21T17:00:00.000Z"],
    ["open time runs on after the weekend", step({ for: hours(6), calendar: "office" }), "2026-11-23T15:00:00.000Z"],
    [
      "the only calendar is the business hours",
      step({ for: hours(2), calendar: "business_hours" }),
      "2026-11-20T19:00:00.000Z",
    ],
    ["an instant to come", until("2026-11-20T17:00:07.000Z"), "2026-11-20T17:00:07.000Z"],
    ["an instant with another offset", until("2026-11-20T13:00:00-05:00"), "2026-11-20T18:00:00.000Z"],
    ["never by the clock", step({ unless: "message.received" }), null],
  ])("%s", (_name, wait, due) => {
    expect(dueAt(wait, scope, office)).toEqual({ ok: true, at: due });
  });

  test.each([
    ["no time at all", step({ for: { days: 0, seconds: 0 } })],
    ["now", until(at)],
    ["long ago", until("2020-01-01T00:00:00.000Z")],
    ["less than a second", until("2026-11-20T17:00:00.999Z")],
  ])("L1: lasts at least a second: %s", (_name, wait) => {
    expect(dueAt(wait, scope, office)).toEqual({ ok: true, at: "2026-11-20T17:00:01.000Z" });
  });

  test.each([
    ["no instant", until("tomorrow"), "instant_invalid"],
    ["a text that some clocks would read", until("order 12 Z"), "instant_invalid"],
    ["no offset", until("2026-11-20T17:00:00"), "instant_invalid"],
    ["no text", until(17), "instant_invalid"],
    ["nothing", until(null), "instant_invalid"],
    ["no such calendar", step({ for: hours(1), calendar: "moon" }), "calendar_not_found"],
  ])("cannot be told: %s", (_name, wait, code) => {
    expect(dueAt(wait, scope, office)).toMatchObject({ ok: false, reason: { code } });
  });

  test("the business hours are nobody's where there is no calendar, or more than one", () => {
    expect(afterDuration(at, hours(1), "business_hours", sampleIndex())).toMatchObject({
      ok: false,
      reason: { code: "calendar_not_found" },
    });
    const [one] = officeSettings.calendars;
    const two = indexSettings({ ...officeSettings, calendars: [one!, { ...one!, id: "other", slug: "other" }] });
    expect(afterDuration(at, hours(1), "business_hours", two)).toMatchObject({
      ok: false,
      reason: { code: "calendar_not_found" },
    });
  });

  test("a calendar that never opens is a reason", () => {
    const [one] = officeSettings.calendars;
    const closed = indexSettings({
      ...officeSettings,
      calendars: [{ ...one!, calendar: { ...one!.calendar, hours: {} } }],
    });
    expect(afterDuration(at, hours(1), "office", closed)).toMatchObject({
      ok: false,
      reason: { code: "calendar_never_open" },
    });
  });

  test("the end of time is a reason, not a fault", () => {
    const late = "9999-12-31T23:59:59.500Z";
    expect(afterDuration(late, hours(1), null, office)).toMatchObject({
      ok: false,
      reason: { code: "instant_out_of_range" },
    });
    expect(afterDuration(late, hours(1), "office", office)).toMatchObject({
      ok: false,
      reason: { code: "instant_out_of_range" },
    });
    expect(dueAt(until("+010000-01-01T00:00:00Z"), scope, office).ok).toBe(false);
  });
});
