import { expect, test } from "vitest";
import { lockProblems } from "./lock-file.ts";

function lock(packages: unknown): string {
  return JSON.stringify({ lockfileVersion: 3, packages }, null, 2);
}

test("a lock with every optional package and no addresses is fine", () => {
  const packages = {
    "": { optionalDependencies: { "node-x": "1" } },
    "packages/a": { name: "@threadmill/a" },
    "node_modules/@threadmill/a": { resolved: "packages/a", link: true },
    "node_modules/node-x": { version: "1" },
    "node_modules/tool": { optionalDependencies: { "@tool/linux": "1", "@tool/darwin": "1" } },
    "node_modules/@tool/linux": { version: "1" },
    "node_modules/tool/node_modules/@tool/darwin": { version: "1" },
  };
  expect(lockProblems(lock(packages))).toEqual([]);
});

test("a download address is found with its line", () => {
  const text = lock({ "node_modules/a": { resolved: "https://example.test/a.tgz" } });
  expect(lockProblems(text)).toEqual(["package-lock.json:5: a download address"]);
});

test("an optional package without an entry is named, with who wants it", () => {
  const text = lock({
    "": { optionalDependencies: { x: "1" } },
    "node_modules/tool": { optionalDependencies: { y: "1" } },
  });
  expect(lockProblems(text)).toEqual([
    "package-lock.json: no entry for x, wanted by the root",
    "package-lock.json: no entry for y, wanted by node_modules/tool",
  ]);
});
