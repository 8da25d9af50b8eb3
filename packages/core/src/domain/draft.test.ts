import { expect, test } from "vitest";
import type { Event } from "../model/event.ts";
import { actors, sampleIndex, testId } from "../testing/settings.ts";
import { memoryWorld } from "../testing/world.ts";
import { Draft } from "./draft.ts";
import { key } from "./keys.ts";
import { Ledger, Missing } from "./ledger.ts";
import type { Standing } from "./standing.ts";

const [ann, one, two] = [301, 801, 802].map(testId) as [string, string, string];
const event = (id: string): Event => ({
  id,
  type: "customer.closed",
  at: "2026-11-20T17:00:00.000Z",
  actor: actors.admin,
  root: "r",
  cause: {},
  depth: 0,
  refs: { customer: ann },
  changes: [],
});

const draft = (ledger: Ledger, told?: readonly Event[]): Draft =>
  new Draft({ ledger, settings: sampleIndex(), ...(told && { told }) } as Standing);

test("an event is read from the log, or from what this batch told, and counts as read either way", () => {
  const logged = new Ledger(memoryWorld({ more: { [key.event(one, ann)]: event(one) } }));
  expect(draft(logged).event(one, ann)).toEqual(event(one));
  expect(draft(logged).event(two, null)).toBeNull();
  expect([...logged.reads()]).toEqual([key.event(one, ann), key.event(two, null)]);

  const told = new Ledger({ get: () => undefined });
  expect(draft(told, [event(two), event(one)]).event(one, ann)).toEqual(event(one));
  expect([...told.reads()]).toEqual([key.event(one, ann)]);
  expect(() => draft(told, [event(two)]).event(testId(803), ann)).toThrow(Missing);
});
