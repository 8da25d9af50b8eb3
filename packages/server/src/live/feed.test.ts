import { type Event, everywhere, type Reach, type Standpoint } from "@threadmill/core";
import { describe, expect, test } from "vitest";
import { Attentions } from "./attentions.ts";
import { changeOf } from "./change.ts";
import { Feed, type Reader } from "./feed.ts";
import type { ReadRow } from "./reading.ts";
import type { Sight, Standpoints } from "./sight.ts";

const place = { lane: 1, organization: "o" };
const [support, sales] = ["mailbox-1", "mailbox-2"];
const inSupport: Reach = { mailboxes: [support], of: "all", user: null, teams: [] };
const sight = (reach: Reach, settings = true): Sight => ({
  conversations: reach,
  customers: reach,
  settings,
  jobs: false,
  key: JSON.stringify([reach, settings]),
});

class Page implements Reader {
  at = 0;
  begun = true;
  full = false;
  sight: Sight;
  readonly got: string[] = [];
  constructor(seen: Sight) {
    this.sight = seen;
  }
  send(chunk: Buffer): void {
    this.got.push(chunk.toString());
  }
  look(): Sight {
    return this.sight;
  }
  resight(seen: Sight): void {
    this.sight = seen;
  }
}

const event = (seq: number, refs: Event["refs"], more: Partial<Event> = {}): ReadRow => ({
  organization: "o",
  end: seq,
  events: [
    {
      seq,
      id: `e${seq}`,
      type: "conversation.moved",
      at: "2026-11-20T17:00:00.000Z",
      actor: { kind: "system", id: null },
      root: "r",
      cause: {},
      depth: 0,
      refs,
      changes: [],
      ...more,
    },
  ],
});
const at = (mailbox: string): Standpoint => ({ mailbox, team: null, assignee: null });
const points = (
  conversations: Readonly<Record<string, Standpoint>>,
  customers: Standpoints["customers"] = new Map(),
): Standpoints => ({ conversations: new Map(Object.entries(conversations)), customers });
const moved = (before: string, after: string): Partial<Event> => ({
  changes: [{ table: "conversations", id: "c", before: { mailbox: before }, after: { mailbox: after } }],
});

/** What a page of each sight is told of rows that are read in one go. */
function told(rows: readonly ReadRow[], standpoints: Standpoints | null, seen: Sight): string {
  const feed = new Feed(place, 0);
  const page = new Page(seen);
  feed.append(rows, standpoints, rows.at(-1)?.end ?? 0, 0);
  expect(feed.serve(page)).toBe(true);
  expect(page.at).toBe(feed.reached);
  return page.got.join("");
}

describe("who sees a part", () => {
  test("is told of what stands within it, that what left it is gone, and nothing of the rest", () => {
    const away = event(1, { conversation: "c" }, moved(support, sales));
    expect(told([away], points({ c: at(sales) }), sight(inSupport))).toBe(
      'id: 1\nevent: gone\ndata: [{"noun":"conversation","id":"c"}]\n\n',
    );
    const into = event(1, { conversation: "c" }, moved(sales, support));
    expect(told([into], points({ c: at(support) }), sight(inSupport))).toContain('"mailbox":"mailbox-1"');
    const inside = event(1, { conversation: "c" }, { changes: [] });
    expect(told([inside], points({ c: at(sales) }), sight(inSupport))).toBe("");
    expect(told([inside], points({}), sight(inSupport))).toBe("");
    expect(told([inside], null, sight(everywhere))).toContain('"conversation":"c"');
  });

  test("is told last what is so last: what left and came back is not gone", () => {
    const away = event(1, { conversation: "c" }, moved(support, sales));
    const other = event(2, { conversation: "d" });
    const text = told([away, other], points({ c: at(sales), d: at(support) }), sight(inSupport));
    expect(text.match(/^id: /gm)).toHaveLength(1);
    expect(text).toMatch(/^event: gone\n[^]*\n\nid: 2\nevent: changes/);
    const back = event(2, { conversation: "c" }, moved(sales, support));
    expect(told([away, back], points({ c: at(support) }), sight(inSupport))).not.toContain("gone");
  });

  test("is told of a merge without the row that stands elsewhere", () => {
    const changes = ["c", "d"].map((id) => ({
      table: "conversations" as const,
      id,
      before: { topic: null },
      after: { topic: `of ${id}` },
    }));
    const merge = event(1, { conversation: "c" }, { type: "conversation.merged", changes });
    const seen = told([merge], points({ c: at(support), d: at(sales) }), sight(inSupport));
    expect(seen).toContain("of c");
    expect(seen).not.toContain("of d");
    expect(told([merge], points({ c: at(support), d: at(support) }), sight(inSupport))).toContain("of d");
  });

  test.each([
    { name: "with a conversation there", conversations: [at(sales), at(support)], sees: true },
    { name: "with conversations elsewhere", conversations: [at(sales)], sees: false },
    { name: "who never wrote", conversations: [], sees: true },
  ])("is told of a customer $name: $sees", ({ conversations, sees }) => {
    const customers = new Map([["k", { assignee: null, teams: [], conversations }]]);
    const row = event(1, { customer: "k" }, { type: "customer.updated" });
    expect(told([row], points({}, customers), sight(inSupport)) !== "").toBe(sees);
    expect(told([row], points({}), sight(inSupport))).toBe("");
    expect(told([row], null, sight(everywhere))).not.toBe("");
  });

  test("is told of their own customers, and those of their teams", () => {
    const own: Reach = { mailboxes: [], of: "own", user: "u", teams: ["t"] };
    const row = event(1, { customer: "k" }, { type: "customer.updated" });
    const of = (assignee: string | null, teams: readonly string[]) =>
      told([row], points({}, new Map([["k", { assignee, teams, conversations: [] }]])), sight(own)) !== "";
    expect([of("u", []), of(null, ["t"]), of("v", ["s"])]).toEqual([true, true, false]);
  });

  test("is told who is present, and of settings if they may read them, but not of what is about nothing", () => {
    const presence = event(1, { user: "u" }, { type: "user.presence_changed", data: { before: null, after: "away" } });
    expect(told([presence], points({}), sight(inSupport))).toContain('"presence":"away"');
    const settings = event(1, {}, { type: "settings.changed", data: { noun: "team", id: "t", after: { name: "x" } } });
    const text = told([settings], points({}), sight(inSupport));
    expect(text).toContain('"data":{"noun":"team","id":"t"}');
    expect(told([settings], points({}), sight(inSupport, false))).toBe("");
    const run = event(1, {}, { type: "run.started" });
    expect(told([run], points({}), sight(inSupport))).toBe("");
    expect(told([run], points({}), sight(everywhere, false))).not.toBe("");
  });
});

test("those who stand alike and see alike are sent the same bytes, made once", () => {
  const feed = new Feed(place, 0);
  const sent: Buffer[] = [];
  const pages = Array.from({ length: 5 }, () => new Page(sight(everywhere)));
  for (const page of pages) page.send = (chunk) => void sent.push(chunk);
  feed.append([event(1, { conversation: "c" })], null, 3, 0);
  for (const page of pages) feed.serve(page);
  expect(new Set(sent).size).toBe(1);
  expect(sent).toHaveLength(5);
  expect(pages.map((page) => page.at)).toEqual([3, 3, 3, 3, 3]);
});

test("who was too slow for what is in memory is not told a part of it", () => {
  const feed = new Feed(place, 0);
  const page = new Page(sight(everywhere));
  page.full = true;
  feed.append([event(1, { conversation: "c" })], null, 1, 0);
  expect(feed.serve(page)).toBe(true);
  feed.trim(61_000);
  expect(feed.from).toBe(1);
  expect(feed.serve(page)).toBe(false);
  page.begun = false;
  expect(feed.serve(page)).toBe(true);
});

test("too much for memory is let go of from its old end", () => {
  const feed = new Feed(place, 0);
  const rows = Array.from({ length: 5000 }, (_, n) => event(n + 1, { conversation: "c" }));
  feed.append(rows, null, 5000, 0);
  feed.trim(1);
  expect(feed.from).toBeGreaterThan(1000);
  expect(feed.from).toBeLessThan(5000);
  expect(feed.judged).toBe(false);
  expect(feed.prepend([], null, 0, feed.from + 1, 0)).toBe(false);
  const from = feed.from;
  expect(feed.prepend([event(from, { conversation: "c" })], points({}), from - 1, from, 0)).toBe(true);
  expect(feed.from).toBe(from - 1);
  feed.forget();
  expect([feed.from, feed.judged]).toEqual([5000, true]);
});

test("of members that were erased it is told that all are gone", () => {
  const [whole] = event(1, { customer: "k" }).events;
  const change = {
    table: "customers" as const,
    id: "k",
    before: { properties: { a: 1 } },
    after: { properties: null },
  };
  expect(changeOf({ ...(whole as Event & { seq: number }), changes: [change] }).changes).toEqual([
    { noun: "customer", id: "k", fields: {}, removed: { properties: null } },
  ]);
});

test("who looks and who types ends by itself, and is let go of", () => {
  const attentions = new Attentions();
  const word = (conversation: string, doing: "looking" | "typing" | "nothing") => ({
    ...place,
    conversation,
    user: "u",
    doing,
    at: at(support),
  });
  expect(attentions.note(word("c", "typing"), 0)).toBe(8000);
  expect(attentions.of(place, "c", 7999)).toEqual([{ user: "u", doing: "typing", untilMs: 8000 }]);
  expect(attentions.of(place, "c", 8000)).toEqual([]);
  for (let n = 0; n < 100; n += 1) attentions.note(word(`c${n}`, "looking"), 0);
  for (let n = 0; n < 100; n += 1) attentions.note(word("d", "looking"), 100_000);
  expect(attentions.size).toBe(1);
  attentions.note(word("d", "nothing"), 100_000);
  expect(attentions.size).toBe(0);
});
