import { type Change, type Event, logVersion, type Refs } from "@threadmill/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blankEvents } from "./blank-log.ts";
import { eventsText, readEvents, type StoredEvent } from "./log-format.ts";

const root = "01936f2a-0000-7000-8000-000000000001";
const at = "2026-11-20T17:00:00.000Z";
const ids = ["c1", "c2", "v1", "v2", "m1", "m2", "u1", root, root.replace(/1$/, "9")];
const id = fc.constantFrom(...ids);
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const stored = (events: readonly Event[]): StoredEvent[] => JSON.parse(eventsText(events)) as StoredEvent[];
/** Without the fields that are not there: JSON has no undefined. */
const clean = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const refs = fc
  .record({ customer: some(id), conversation: some(id), message: some(id), user: some(id) })
  .map((each) => clean(each) as Refs);
const word = fc.oneof(fc.string(), fc.constantFrom("~", "~~", "~x", at, root, "-0000-7000-8000-000000", ...ids));
const fields = fc.dictionary(
  fc.constantFrom("tags", "status", "text", "customer", "conversation", "message", "channel"),
  fc.oneof(fc.jsonValue({ maxDepth: 2 }), word),
);
const change: fc.Arbitrary<Change> = fc
  .record({
    table: fc.constantFrom("customers", "conversations", "messages"),
    id,
    before: fc.option(fields),
    after: fields,
  })
  .map((each) => clean(each) as Change);
const event: fc.Arbitrary<Event> = fc
  .record({
    id: fc.oneof(
      fc.uuid(),
      fc.nat(99_999).map((n) => `${root.slice(0, -5)}${String(n).padStart(5, "0")}`),
    ),
    type: fc.constantFrom("message.received", "conversation.closed", "settings.changed"),
    actor: fc.constantFrom(
      { kind: "system", id: null },
      { kind: "user", id: "u1" },
      { kind: "channel", id: "c1" },
      { kind: "workflow", id: "w", publisher: "u1" },
      { kind: "workflow", id: "w", publisher: null },
    ),
    cause: fc.record({ event: some(id), run: some(id), step: some(fc.constantFrom("a", "b")) }),
    depth: fc.nat(3),
    refs,
    changes: fc.array(change, { maxLength: 3 }),
    data: some(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))),
  })
  .map((each) => clean({ ...each, at, root }) as Event);

describe("the log's rows", () => {
  test("say in which version they are written, and older ones read as they would be written today", () => {
    const changed = {
      table: "customers",
      id: "c1",
      before: { properties: { a: 1, b: 1 } },
      after: { properties: { a: 1, b: 2 } },
    } as const;
    const one: Event = {
      id: root,
      type: "customer.property_set",
      at,
      root,
      actor: { kind: "system", id: null },
      cause: {},
      depth: 0,
      refs: {},
      changes: [changed],
    };
    const [written] = stored([one, one]);
    expect(written?.short).toBe(logVersion);
    const { short: _, ...old } = written as StoredEvent;
    const [read] = readEvents({ seq: 1, at, root, events: [{ ...old, changes: [changed] }] });
    expect(read?.changes).toEqual([{ ...changed, before: { properties: { b: 1 } }, after: { properties: { b: 2 } } }]);
  });

  test("of earlier versions mean what they say: nothing in them is a sign or cut", () => {
    const message = root.replace(/1$/, "4");
    const old = {
      id: root,
      type: "message.received",
      refs: { message },
      changes: [{ table: "messages", before: null, after: { text: "~", direction: "inbound", customer: "~" } }],
    } as const;
    expect(readEvents({ seq: 1, at, root, events: [old] })[0]).toMatchObject({
      id: root,
      refs: { message },
      changes: [{ table: "messages", id: message, before: null, after: old.changes[0].after }],
    });
  });

  test("give back the events that they were made of, through JSON", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 8 }), fc.nat(1_000_000), (events, seq) => {
        const read = readEvents({ seq, at, root, events: stored(events) });
        expect(JSON.parse(JSON.stringify(read))).toEqual(events.map((each, n) => ({ ...each, seq: seq + n })));
      }),
      { numRuns: 300 },
    );
  });

  test("never take more than the events as they are", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 8 }), (events) => {
        expect(eventsText(events).length).toBeLessThanOrEqual(JSON.stringify(events).length);
      }),
    );
  });

  test("of one message and its workflow take less than half", () => {
    const refs = {
      customer: root.replace(/1$/, "2"),
      conversation: root.replace(/1$/, "3"),
      message: root.replace(/1$/, "4"),
    };
    const common = { at, root, depth: 0, cause: {}, actor: { kind: "channel" as const, id: root.replace(/1$/, "5") } };
    const made = (table: Change["table"], which: string): Change => ({
      table,
      id: which,
      before: null,
      after: { status: "open" },
    });
    const run = {
      ...common,
      depth: 1,
      actor: { kind: "workflow" as const, id: root.replace(/1$/, "6"), publisher: root.replace(/1$/, "7") },
    };
    const step = (name: string, after: string): Event => ({
      ...run,
      id: root.replace(/1$/, after),
      type: "conversation.tags_added",
      cause: { event: root, run: root.replace(/1$/, "8"), step: name },
      refs: { customer: refs.customer, conversation: refs.conversation },
      changes: [{ table: "conversations", id: refs.conversation, before: { tags: [] }, after: { tags: ["x"] } }],
    });
    const events: Event[] = [
      {
        ...common,
        id: root,
        type: "message.received",
        refs,
        changes: [
          made("customers", refs.customer),
          made("conversations", refs.conversation),
          made("messages", refs.message),
        ],
      },
      step("a", "a"),
      step("b", "b"),
      step("c", "c"),
      step("d", "d"),
    ];
    expect(eventsText(events).length).toBeLessThan(JSON.stringify(events).length / 2);
  });

  test("that were blanked still read, and hold nothing personal", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 5 }), (events) => {
        const blank = readEvents({
          seq: 1,
          at,
          root,
          events: JSON.parse(blankEvents({ seq: 1, at, root, events: stored(events) })) as StoredEvent[],
        });
        expect(blank.map((each) => [each.id, each.type, each.refs])).toEqual(
          events.map((each) => [each.id, each.type, each.refs]),
        );
        for (const { changes, data } of blank) {
          expect(Object.keys(data ?? {})).not.toContain("names");
          for (const each of changes) {
            if (each.table === "messages" && "text" in each.after) expect(each.after["text"]).toBe("");
            if (each.table === "customers" && "tags" in each.after) expect(each.after["tags"]).toEqual([]);
          }
        }
      }),
    );
  });
});
