import { describe, expect, test } from "vitest";
import { importProblems, importsOf } from "./imports.ts";
import type { House, Package } from "./imports.ts";

function pack(name: string, folder: string, dependencies: string[], subpaths: string[] = ["."]): Package {
  const exports = new Map(
    subpaths.map((subpath) => [subpath, subpath === "." ? "./src/index.ts" : `./src${subpath.slice(1)}.ts`]),
  );
  return { name, folder, dependencies: new Set(dependencies), exports };
}

const house: House = {
  packages: [
    pack("@threadmill/core", "packages/core", ["typebox"], [".", "./testing"]),
    pack("@threadmill/server", "packages/server", ["@threadmill/core", "@threadmill/client", "pg"]),
    pack("@threadmill/client", "packages/client", ["@threadmill/core"]),
    pack("threadmill", "packages/cli", ["@threadmill/server", "@threadmill/core"], []),
    pack("@threadmill/widget", "packages/widget", ["@threadmill/core"]),
    pack("@threadmill/extra", "packages/extra", []),
  ],
  rootDependencies: new Set(["vitest", "fast-check"]),
};

/** The problem of one import in one file, without its place; undefined when it is fine. */
function problem(path: string, specifier: string): string | undefined {
  const [found, ...more] = importProblems({ path, text: `import { a } from "${specifier}";` }, house);
  expect(more).toEqual([]);
  return found?.slice(`${path}:1: "${specifier}" `.length);
}

describe("finding imports", () => {
  test("every form counts, with its line", () => {
    const source = [
      'import a from "a";',
      "import type {",
      "  B,",
      "} from 'b';",
      'import "c";',
      'export * from "d";',
      'const e = await import("e");',
      'type F = import("f").F;',
      "const g = require(`g`);",
      'const h = import.meta.resolve("h");',
    ].join("\n");
    expect(importsOf(source).map(({ specifier, line }) => `${specifier}${line}`)).toEqual([
      "a1",
      "b4",
      "c5",
      "d6",
      "e7",
      "f8",
      "g9",
      "h10",
    ]);
  });

  test("what only looks like an import does not", () => {
    const source = [
      '// import a from "a";',
      `const b = 'import b from "b"';`,
      'const c = Array.from("c");',
      'const d = { from: "d" };',
      'important("e");',
      "const f = await import(name);",
      'log.import("g");',
    ].join("\n");
    expect(importsOf(source)).toEqual([]);
  });
});

describe("directions", () => {
  test.each([
    ["packages/server/src/a.ts", "@threadmill/core"],
    ["packages/client/src/a.ts", "@threadmill/core"],
    ["packages/cli/src/a.ts", "@threadmill/server"],
    ["bench/a.ts", "@threadmill/server"],
    ["bench/a.ts", "threadmill"],
  ])("%s may import %s", (path, specifier) => {
    expect(problem(path, specifier)).toBe(
      specifier === "threadmill" ? "is not among the exports of threadmill" : undefined,
    );
  });

  test.each([
    ["packages/core/src/a.ts", "@threadmill/server", "core may import nothing of ours"],
    ["packages/core/src/a.test.ts", "@threadmill/client", "core may import nothing of ours"],
    ["packages/server/src/a.ts", "@threadmill/client", "server may import core"],
    ["packages/client/src/a.ts", "@threadmill/server", "client may import core"],
    ["packages/widget/src/a.ts", "@threadmill/core", "widget may import nothing of ours"],
  ])("%s may not import %s", (path, specifier, reason) => {
    expect(problem(path, specifier)).toBe(`goes against the direction of imports: ${reason}`);
  });

  test("a package without a place in the table is refused", () => {
    const found = importProblems({ path: "packages/extra/src/a.ts", text: "" }, house);
    expect(found).toEqual([expect.stringContaining('package "extra" has no place')]);
  });

  test("a tool imports no package of ours", () => {
    expect(problem(".ci/a.ts", "@threadmill/core")).toBe("is a package of ours: a tool imports none");
  });
});

describe("relative imports", () => {
  test("stay inside their package", () => {
    expect(problem("packages/core/src/a/b.ts", "../c/d.ts")).toBeUndefined();
    expect(problem("packages/core/src/a.ts", "../../server/src/b.ts")).toMatch(/^crosses a package border/);
    expect(problem("packages/core/src/a.ts", "../../core-extra/b.ts")).toMatch(/^crosses a package border/);
    expect(problem("bench/a.ts", "./b.ts")).toBeUndefined();
    expect(problem("bench/a.ts", "../packages/core/src/b.ts")).toMatch(/^leaves bench/);
    expect(problem("vitest.config.ts", "./.ci/settings.ts")).toBeUndefined();
  });

  test("go to the file, not to the package's own face", () => {
    expect(problem("packages/core/src/a/b.ts", "../index.ts")).toMatch(/^is the package's own face/);
    expect(problem("packages/core/src/a/b.test.ts", "../index.ts")).toBeUndefined();
    expect(problem("packages/core/src/a.ts", "@threadmill/core")).toMatch(/^is this package itself/);
    expect(problem("packages/core/src/a.test.ts", "@threadmill/core/testing")).toBeUndefined();
  });
});

describe("packages", () => {
  test("only exported names are imported", () => {
    expect(problem("packages/server/src/a.ts", "@threadmill/core/testing")).toBeUndefined();
    expect(problem("packages/server/src/a.ts", "@threadmill/core/src/b.ts")).toBe(
      "is not among the exports of @threadmill/core",
    );
  });

  test("what is imported is declared", () => {
    expect(problem("packages/core/src/a.ts", "typebox/value")).toBeUndefined();
    expect(problem("packages/core/src/a.ts", "pg")).toBe("is not declared in packages/core/package.json");
    expect(problem("packages/cli/src/a.ts", "@threadmill/client")).toBe("is not declared in packages/cli/package.json");
    expect(problem("bench/a.ts", "pg")).toBeUndefined();
    expect(problem("bench/a.ts", "left-pad")).toBe("is not declared in package.json");
    expect(problem(".ci/a.ts", "pg")).toBe("is not declared in package.json");
  });

  test("the test tools are only for tests", () => {
    expect(problem("packages/core/src/a.test.ts", "fast-check")).toBeUndefined();
    expect(problem("packages/core/src/testing/a.ts", "fast-check")).toBeUndefined();
    expect(problem("packages/core/src/a.ts", "fast-check")).toBe("is not declared in packages/core/package.json");
    expect(problem(".ci/a.test.ts", "vitest")).toBeUndefined();
  });

  test("what runs in a browser imports nothing of Node, prefix or not", () => {
    expect(problem("packages/core/src/a.ts", "node:fs")).toMatch(/^is Node's/);
    expect(problem("packages/core/src/a.ts", "crypto")).toMatch(/^is Node's/);
    expect(problem("packages/core/src/testing/a.ts", "node:fs")).toMatch(/^is Node's/);
    expect(problem("packages/core/src/a.test.ts", "node:fs")).toBeUndefined();
    expect(problem("packages/server/src/a.ts", "node:fs")).toBeUndefined();
    expect(problem("bench/a.ts", "node:fs")).toBeUndefined();
  });
});
