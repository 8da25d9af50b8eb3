import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runStatuses } from "../model/run.ts";
import { signals } from "./machine.ts";

const source = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(`${source}${path}`, "utf8");
const spec = read("run/SPEC.md");

/** What the page says of each promise, by its number. */
const promises = new Map(
  spec
    .split(/^### /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf(" ")), part.split(/^## /m)[0] as string]),
);
const cited = [...spec.matchAll(/^- tested by: `([^`]+)`: "(.+)"$/gm)].map(([, file, name]) => ({
  file: file as string,
  name: name as string,
}));

/** The names of a file's tests, as they are written down. */
const testsOf = (path: string): readonly string[] =>
  [...read(path).matchAll(/\btest(?:\.each(?:<[^(]*>)?\((?:[^`]|`[^`]*`)*?\))?\(\s*"((?:[^"\\]|\\.)*)"/g)].map(
    ([, name]) => name as string,
  );
const files = ["run", "mill", "match"].flatMap((folder) =>
  readdirSync(`${source}${folder}`)
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => `${folder}/${file}`),
);

describe("SPEC.md", () => {
  test("has every law of the mill, every invariant of the house and every promise of the machine", () => {
    const numbers = (letter: string, most: number) => Array.from({ length: most }, (_, n) => `${letter}${n + 1}`);
    expect([...promises.keys()]).toEqual([...numbers("M", 3), ...numbers("D", 6), ...numbers("L", 16)]);
  });

  test("says of each where it is enforced and what tests it", () => {
    const silent = [...promises].filter(
      ([, text]) => !/^- enforced by: `/m.test(text) || !/^- tested by: `/m.test(text),
    );
    expect(silent.map(([number]) => number)).toEqual([]);
  });

  test("names only files and tests that there are", () => {
    const enforcing = [...spec.matchAll(/^- enforced by: (.+)$/gm)].flatMap(([, list]) =>
      [...(list as string).matchAll(/`([^`]+)`/g)].map(([, file]) => file as string),
    );
    expect(enforcing.filter((file) => !existsSync(`${source}${file}`))).toEqual([]);
    expect(cited.filter(({ file, name }) => !existsSync(`${source}${file}`) || !testsOf(file).includes(name))).toEqual(
      [],
    );
    expect(cited.length).toBeGreaterThan(60);
  });

  test("names every test that claims a promise, under that promise", () => {
    const claims = files.flatMap((file) =>
      testsOf(file).flatMap((name) => {
        const tag = /^((?:[LDM]\d+(?:, )?)+): /.exec(name)?.[1];
        return tag === undefined
          ? []
          : tag.split(", ").map((number) => ({ number, line: `- tested by: \`${file}\`: "${name}"` }));
      }),
    );
    expect(claims.filter(({ number, line }) => !(promises.get(number) ?? "").split("\n").includes(line))).toEqual([]);
    expect(claims.length).toBeGreaterThan(60);
  });

  test("knows every status and signal of the machine", () => {
    for (const status of runStatuses) expect(spec).toContain(`| \`${status}\` |`);
    const chart = spec.slice(spec.indexOf("## Chart"), spec.indexOf("| status |"));
    for (const signal of signals) expect(chart).toContain(signal);
    // the same chart stands at the head of the machine
    const drawn = chart
      .split("\n")
      .filter((line) => line.startsWith("   ") && line.trim() !== "")
      .map((line) => line.trim());
    const machine = read("run/machine.ts");
    for (const line of drawn.slice(1)) expect(machine).toContain(line);
  });
});
