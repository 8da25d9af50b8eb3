import type { EventType } from "../domain/events.ts";
import type { Event } from "../model/event.ts";
import { actors, testId } from "./settings.ts";

/** An event as a decision leaves it; what a test is not about is filled in. */
export const eventOf = (type: EventType, patch: Partial<Event> = {}): Event => ({
  id: testId(900),
  type,
  at: "2026-11-20T17:00:00.000Z",
  actor: actors.channel,
  root: testId(901),
  cause: {},
  depth: 0,
  refs: {},
  changes: [],
  ...patch,
});
