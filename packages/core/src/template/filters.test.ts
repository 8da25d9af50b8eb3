import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findBadText } from "../text/unicode.ts";
import { scopeOf } from "../testing/scope.ts";
import { filters } from "./filters.ts";
import { limits } from "./limits.ts";
import { TemplateFault } from "./problem.ts";
import { compileText } from "./text.ts";

const scope = scopeOf(
  {
    no: false,
    n: 3,
    emoji: "ab😀cd",
    list: [3, "b", null, 1, "a", { x: { y: 1 } }, true],
    lines: [{ sku: "b", on: true, d: { e: 2 } }, { sku: "a", on: false, d: { e: 1 } }, { sku: "c" }],
    twins: [{ a: 1, b: 2 }, "x", { b: 2, a: 1 }, "x", '{"a":1,"b":2}', [1], [1]],
    big: "x".repeat(70_000),
    lone: "\ud800",
    born: "2026-02-28",
    seen: "2026-07-04T23:30:05.007Z",
    offset: "2026-07-04T23:30:05+02:00",
  },
  { zone: "Europe/Paris" },
);

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
  // by what they hold: two objects of one content are one before and after the database
  ["twins | uniq | size", "4"],
  ["twins | uniq | json", '[{"a":1,"b":2},"x","{\\"a\\":1,\\"b\\":2}",[1]]'],
  ["twins.first | json", '{"a":1,"b":2}'],
  ["'' | default: n", "3"],
  ["'it is' | capitalize", "It is"],
  ["emoji | truncate: 4, '..'", "ab.."],
  ["emoji | truncate: 5", "ab😀cd"],
  ["emoji | slice: 0, 3", "ab😀"],
  ["emoji | slice: -3", "😀"],
  ["emoji | size", "5"],
  ["emoji.size", "5"],
  ["emoji | split: '' | reverse | join: ''", "dc😀ba"],
  ["emoji | split: '' | join: '-'", "a-b-😀-c-d"],
  ["emoji | replace: '', '.'", "a.b.😀.c.d"],
  ["emoji | slice: 2 | first", "😀"],
  ["emoji | slice: 2 | last", "😀"],
  ["'😀 X' | capitalize", "😀 x"],
  ["'abc' | truncate: 1, ''", "a"],
  ["'abcdef' | truncate: 2", "..."],
  ["'a b  c' | truncatewords: 2, '!'", "a b!"],
  ["'a b' | truncatewords", "a b"],
  ["'aXbX' | replace: 'X'", "ab"],
  ["'aXbX' | replace_first: 'X', '$&'", "a$&bX"],
  ["lone", "\ufffd"],
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

test("whatever a filter is given, well-formed text comes out", () => {
  const word = fc.constantFrom("", "a", "😀", "a😀", "😀😀b", "I am glad😀 thanks", "é", "\u{10ffff}");
  const value = fc.oneof(
    word,
    fc.integer({ min: -3, max: 12 }),
    fc.array(word, { maxLength: 4 }),
    fc.dictionary(word, word, { maxKeys: 2 }),
    fc.constant(null),
  );
  const call = fc.tuple(fc.constantFrom(...Object.keys(filters)), fc.array(value, { maxLength: 2 }));
  fc.assert(
    fc.property(value, fc.array(call, { minLength: 1, maxLength: 4 }), (input, calls) => {
      const frame = { scope, slots: [], out: "", left: limits.steps, zones: null };
      let result: unknown = input;
      for (const [name, args] of calls) {
        const { run, takes } = filters[name]!;
        const given = [...args, "", ""].slice(0, Math.max(takes[0], Math.min(takes[1], args.length)));
        try {
          result = run(result, given, frame);
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateFault);
          return;
        }
        expect([name, given, result, findBadText(result)]).toEqual([name, given, result, null]);
      }
    }),
    { numRuns: 3_000 },
  );
});
