import { describe, expect, test } from "vitest";
import { filters } from "./filters.ts";
import type { Scope } from "./scope.ts";
import { compileText } from "./text.ts";

const scope: Scope = {
  roots: {
    no: false,
    n: 3,
    emoji: "ab😀cd",
    list: [3, "b", null, 1, "a", { x: { y: 1 } }, true],
    lines: [{ sku: "b", on: true, d: { e: 2 } }, { sku: "a", on: false, d: { e: 1 } }, { sku: "c" }],
    big: "x".repeat(70_000),
    lone: "\ud800",
    born: "2026-02-28",
    seen: "2026-07-04T23:30:05.007Z",
    offset: "2026-07-04T23:30:05+02:00",
  },
  changes: [],
  at: "2026-11-20T17:00:00.000Z",
  zone: "Europe/Paris",
};

function render(expression: string): string {
  const result = compileText(`{{ ${expression} }}`);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.text.render(scope);
}

test.each([
  ["no | default: 'x'", "x"],
  ["no | default: 'x', allow_false: true", "false"],
  ["no | default: 'x', allow_false: no", "x"],
  ["no | default: allow_false: true", "false"],
  ["no | default: allow_false: no", ""],
  ["nobody | default", ""],
  ["'' | default: n", "3"],
  ["'it is' | capitalize", "It is"],
  ["emoji | truncate: 5, '..'", "ab.."],
  ["emoji | truncate: 7", "ab😀cd"],
  ["'abc' | truncate: 1, ''", "a"],
  ["'abcdef' | truncate: 2", "..."],
  ["'a b  c' | truncatewords: 2, '!'", "a b!"],
  ["'a b' | truncatewords", "a b"],
  ["'aXbX' | replace: 'X'", "ab"],
  ["'aXbX' | replace_first: 'X', '$&'", "a$&bX"],
  ["lone | url_encode", "%EF%BF%BD"],
  ["'a b&c' | url_encode", "a+b%26c"],
  [`'<a href="x">' | escape`, "&lt;a href=&#34;x&#34;&gt;"],
  ["nobody | json", "null"],
  ["list | json", '[3,"b",null,1,"a",{"x":{"y":1}},true]'],
  ["list | sort | json", '[1,3,"a","b",{"x":{"y":1}},true,null]'],
  ["lines | sort: 'd.e' | map: 'sku' | join: ','", "a,b,c"],
  ["lines | where: 'on' | map: 'sku' | join", "b"],
  ["lines | where: 'sku', 'c' | size", "1"],
  ["lines | where: 'd.e', n | size", "0"],
  ["list | compact | size", "6"],
  ["list | first", "3"],
  ["list | last", "true"],
  ["'abc' | first | append: 'x'", "ax"],
  ["'abc' | last", "c"],
  ["n | size", "0"],
  ["nobody | join", ""],
  ["n | join", "3"],
  ["'abc' | truncate", "abc"],
  ["list | slice: 1, 2 | join", "b "],
  ["list | slice: -9 | json", "[]"],
  ["'abc' | slice: 1, -1", ""],
  ["'a,b,,' | split: ',' | size", "2"],
  ["'' | split: ',' | size", "0"],
  ["1.005 | round: 2", "1.01"],
  ["0 | minus: 1.5 | round", "-2"],
  ["0 | minus: 0.2 | round", "0"],
  ["100000000000000000000 | round: 2", "100000000000000000000"],
  ["'1e-7' | round: 9", "1e-7"],
  ["'abc' | plus: '2'", "2"],
  ["'5' | minus: nobody", "5"],
  ["-7 | modulo: 3", "2"],
  ["big | truncate: 5", "xx..."],
  ["'a\nb' | newline_to_br | strip_newlines", "a<br />b"],
])("%s", (expression, text) => expect(render(expression)).toBe(text));

test.each([
  ["1 | divided_by: 0", "template_value"],
  ["1 | modulo: 0", "template_value"],
  ["big | upcase", "template_runaway"],
  ["big", "template_runaway"],
  ["big | truncate: 70000", "template_runaway"],
  ["'now' | date: '%Y', 'Mars/Base'", "template_value"],
  ["'now' | date: big", "template_runaway"],
])("%s faults", (expression, code) => expect(() => render(expression)).toThrow(expect.objectContaining({ code })));

describe("date", () => {
  test.each([
    ["'now' | date", "2026-11-20 18:00"],
    ["'today' | date: '%F %T %z', 'Asia/Tokyo'", "2026-11-21 02:00:00 +0900"],
    [
      "seen | date: '%A %a %B %b %-e %Y %y %j %u %w %p %P %I %l %H %M %S %L %s %%'",
      "Sunday Sun July Jul 5 2026 26 186 7 0 AM am 01  1 01 30 05 007 1783207805 %",
    ],
    [
      "seen | date: '%d/%m %e %_d %0e %-H %^a %^B %D %R %:z %Z'",
      "05/07  5  5 05 1 SUN JULY 07/05/26 01:30 +02:00 Europe/Paris",
    ],
    ["seen | date: '%F %p %P %I %:z %z', 'America/New_York'", "2026-07-04 PM pm 07 -04:00 -0400"],
    ["born | date: '%F %T %z'", "2026-02-28 00:00:00 +0100"],
    ["offset | date: '%T', '+05:30'", "03:00:05"],
    ["0 | date: '%F', 'UTC'", "1970-01-01"],
    ["'1783207805' | date: '%F'", "2026-07-05"],
    ["'2026-02-30' | date: '%F'", "2026-02-30"],
    ["'2026-11-22T12:00:00+01:00' | date: '%I %l %u %w %p'", "12 12 7 0 PM"],
    ["'soon' | date: '%F'", "soon"],
    ["nobody | date: '%F'", ""],
    ["no | date: '%F'", "false"],
    ["'9999999999999' | date: '%F'", "9999999999999"],
    ["99999999999999 | date: '%F'", "99999999999999"],
    ["seen | date: '%Q %y %^z %:d'", "%Q 26 +0200 05"],
  ])("%s", (expression, text) => expect(render(expression)).toBe(text));
});

test("the list of filters is stated", () => {
  expect(Object.keys(filters).toSorted().join(" ")).toBe(
    "abs append at_least at_most capitalize ceil compact date default divided_by downcase escape first floor join json last lstrip map minus modulo newline_to_br plus prepend remove replace replace_first reverse round rstrip size slice sort split strip strip_newlines times truncate truncatewords uniq upcase url_encode where",
  );
});
