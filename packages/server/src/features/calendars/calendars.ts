import { settingsSchemas, validateCalendar, type Calendar } from "@threadmill/core";
import { Type } from "typebox";
import { resource } from "../settings/resource.ts";

const { slug, name, calendar } = settingsSchemas.calendars.properties;

/** Business hours, for waits and conditions that count open time. */
export const calendars = resource<Calendar>({
  noun: "calendar",
  plural: "calendars",
  shape: Type.Object(settingsSchemas.calendars.properties, { title: "Calendar" }),
  create: { slug, name, calendar },
  update: { slug, name, calendar },
  defaults: {},
  unique: ["slug"],
  json: ["calendar"],
  slugged: true,
  effect:
    "Workflows in which a name no longer fits are paused, and the log has an event `workflow.paused` for each: with a second calendar, those that say `business_hours` without saying whose; with another short name, those that use the one before.",
  check(row) {
    const problems = validateCalendar(row.calendar).map((one) => ({ ...one, path: `/calendar${one.path}` }));
    const [first] = problems;
    if (first === undefined) return null;
    return { ok: false, kind: "invalid", code: first.code, message: first.message, path: first.path, problems };
  },
});
