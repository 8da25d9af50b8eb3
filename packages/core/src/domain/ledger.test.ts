import { describe, expect, test } from "vitest";
import { sparseWorld } from "../testing/world.ts";
import { key, rowTables, splitKey, tableOf, views } from "./keys.ts";
import { Ledger, Missing, type World } from "./ledger.ts";

const base = new Map<string, unknown>([
  ["customers/a", { id: "a" }],
  ["customers/none", null],
  ["open/a", ["x"]],
  ["open/none", null],
]);
const world: World = { get: (name) => base.get(name) };
const ledger = () => new Ledger(world);

describe("ledger", () => {
  test("knows absent from missing", () => {
    const book = ledger();
    expect(book.get("customers/a")).toBe(base.get("customers/a"));
    expect(book.get("customers/none")).toBeNull();
    expect(() => book.get("customers/b")).toThrow(new Missing(["customers/b"]));
    expect(book.peek("customers/b")).toBeUndefined();
  });

  test("gives changes over what was loaded, and takes them back to a mark", () => {
    const book = ledger();
    book.set("customers/a", { id: "a", n: 1 });
    const mark = book.mark();
    book.set("customers/a", { id: "a", n: 2 });
    book.set("customers/b", { id: "b" });
    book.set("customers/a", null);
    expect(book.get("customers/a")).toBeNull();
    book.rollback(mark);
    expect(book.get("customers/a")).toEqual({ id: "a", n: 1 });
    expect(book.peek("customers/b")).toBeUndefined();
  });

  test("a new row's views are known to be empty; others are needs", () => {
    const book = ledger();
    expect(() => book.list("open/b", "b")).toThrow(Missing);
    book.create("customers/b", "b", { id: "b" });
    expect(book.list("open/b", "b")).toEqual([]);
    expect(book.view("latest/b/c", "b")).toBeNull();
    expect(book.list("open/a", "a")).toEqual(["x"]);
    expect(book.list("open/none", "none")).toEqual([]);
  });

  test("keeps a list true where it is known", () => {
    const book = ledger();
    const add = (list: readonly string[]) => [...list, "y"];
    book.updateList("open/a", "a", add);
    book.updateList("open/none", "none", add);
    book.updateList("open/b", "b", add);
    book.create("customers/c", "c", {});
    book.updateList("open/c", "c", add);
    expect([book.peek("open/a"), book.peek("open/none"), book.peek("open/b"), book.peek("open/c")]).toEqual([
      ["x", "y"],
      ["y"],
      undefined,
      ["y"],
    ]);
  });

  test("asks for everything that is missing in one go", () => {
    const book = ledger();
    expect(() => book.expect(["customers/b", "customers/a", "customers/c"])).toThrow(
      new Missing(["customers/b", "customers/c"]),
    );
    expect(() => book.expect(["customers/a", "customers/none"])).not.toThrow();
    book.create("customers/b", "b", {});
    expect(() => book.expect(["open/b"], "b")).not.toThrow();
    expect(() => book.expect(["open/c"], "c")).toThrow(Missing);
  });

  test("counts distinct keys read, the same whether a row is new or loaded", () => {
    const book = ledger();
    book.get("customers/a");
    book.get("customers/a");
    book.list("open/a", "a");
    book.create("customers/b", "b", {});
    book.list("open/b", "b");
    expect([...book.reads()]).toEqual(["customers/a", "open/a", "open/b"]);
    book.resetReads(["customers/z"]);
    expect([...book.reads()]).toEqual(["customers/z"]);
    book.resetReads();
    expect(book.reads().size).toBe(0);
  });

  test("writes what differs from what was loaded, of the tables asked for", () => {
    const book = ledger();
    book.set("customers/a", base.get("customers/a"));
    book.set("customers/b", { id: "b" });
    book.set("customers/none", null);
    book.set("open/a", []);
    expect(book.writes(new Set(["customers"]))).toEqual(new Map([["customers/b", { id: "b" }]]));
  });
});

test("a key is a table and the rest, whatever that holds", () => {
  expect(splitKey("provider/c/a/b")).toEqual({ table: "provider", rest: "c/a/b" });
});

test("a key's table is known by its letters", () => {
  const made = [
    ...Object.values(key).map((name: (...parts: [never, never, never]) => string) =>
      name("01" as never, "02" as never, "03" as never),
    ),
    ...rowTables.map((table) => `${table}/01`),
    ...views.map((view) => `${view}/01`),
  ];
  // a team is a bundle and never loaded or written by itself
  for (const name of made) expect(tableOf(name)).toBe(name.startsWith("team/") ? undefined : splitKey(name).table);
});

test("a sparse world gives a key once it is loaded", () => {
  const sparse = sparseWorld(world);
  expect(sparse.get("customers/a")).toBeUndefined();
  sparse.load(["customers/a"]);
  expect(sparse.get("customers/a")).toBe(base.get("customers/a"));
});
