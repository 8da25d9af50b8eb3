import fc from "fast-check";
import { Liquid } from "liquidjs";
import { describe, expect, test } from "vitest";
import { scopeOf } from "../testing/scope.ts";
import { limits } from "./limits.ts";
import { parsePath } from "./path.ts";
import { compileText } from "./text.ts";
import { variables } from "./value.ts";

const roots = {
  customer: {
    first_name: "Ann",
    last_name: null,
    size: 3,
    tags: ["vip", "new"],
    properties: { plan: "pro", seats: 12 },
  },
  lines: [
    { sku: "b", n: 2, on: true },
    { sku: "a", n: 1, on: false },
    { sku: "c", n: 3 },
  ],
  nothing: [],
  spaces: "  ",
  word: "Hello",
  key: "plan",
};
const scope = scopeOf(roots, { zone: "Europe/Paris" });

function compiled(source: string) {
  const result = compileText(source);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.text;
}
const render = (source: string) => compiled(source).render(scope);
const problem = (source: string) => {
  const result = compileText(source, "/input/text");
  return result.ok ? null : result.problems[0]!;
};

describe("what texts mean", () => {
  test.each([
    ["plain text { } % }}", "plain text { } % }}"],
    ["Hi {{ customer.first_name | default: 'there' }}, thanks", "Hi Ann, thanks"],
    ["Hi {{ customer.last_name | default: 'there' }}{{ nobody.x.y }}", "Hi there"],
    ["{{ customer.properties['plan'] }} {{ customer.properties[key] }} {{ customer[nobody] }}", "pro pro "],
    ["{{ lines[0].sku }}{{ lines.first.sku }}{{ lines.last.sku }}{{ lines[-1].sku }}{{ lines[key] }}", "bbcc"],
    [
      "{{ customer.tags.size }} {{ customer.properties.size }} {{ word.size }} {{ customer.size }}{{ customer.tags.size.size }}",
      "2 2 5 3",
    ],
    [
      "{{ customer.tags }} {{ customer.properties }} {{ true }} {{ nil }}{{ empty }}{{ blank }}",
      'vipnew {"plan":"pro","seats":12} true ',
    ],
    ["{{ word.x }}{{ 'abc'.size }}{{ (1..3).last }}", "33"],
    ["{% if customer.properties.seats > 10 and word contains 'ell' %}a{% elsif true %}b{% else %}c{% endif %}", "a"],
    ["{% if nobody %}a{% elsif customer.tags contains 'vip' %}b{% else %}c{% endif %}", "b"],
    [
      "{% if nobody == nil %}a{% endif %}{% if not nobody %}b{% endif %}{% if nobody > 1 or nobody < 1 %}c{% endif %}",
      "ab",
    ],
    [
      "{% if nothing == empty %}a{% endif %}{% if empty != word %}b{% endif %}{% if spaces == blank %}c{% endif %}",
      "abc",
    ],
    [
      "{% if customer.properties == empty %}a{% elsif blank == nobody %}b{% endif %}{% if 5 == blank %}c{% endif %}",
      "b",
    ],
    [
      "{% if 1 <= 1 and 2 >= '2' and 'b' > 'a' and 'a' < 'b' %}a{% endif %}{% if '' < 1 or word > 1 %}b{% endif %}",
      "a",
    ],
    [
      "{% if word contains nobody or 5 contains 5 %}a{% endif %}{% if customer.tags == customer.tags %}b{% endif %}",
      "b",
    ],
    [
      "{% unless word == 'x' %}a{% else %}b{% endunless %}{% unless true %}a{% elsif true %}c{% endunless %}{% if false %}x{% endif %}",
      "ac",
    ],
    [
      "{% case key %}ignored{% when 'x' or 'plan' %}a{% when 'plan', 'y' %}b{% else %}c{% endcase %}{% case 1 %}{% when 2 %}{% endcase %}",
      "ab",
    ],
    ["{% case 1 %}{% when 2 %}a{% else %}b{% endcase %}", "b"],
    [
      "{% for x in lines limit: 2 offset: 1 %}{{ x.sku }}{{ forloop.index }}{{ forloop.last }} {% endfor %}",
      "a1false c2true ",
    ],
    [
      "{% for x in lines reversed %}{{ x.sku }}{% endfor %}{% for x in nothing %}a{% else %}none{% endfor %}{% for x in 5 %}b{% endfor %}",
      "cabnone",
    ],
    [
      "{% for p in customer.properties %}{{ p[0] }}={{ p[1] }};{% endfor %}{% for x in word %}{{ x }}{% endfor %}",
      "plan=pro;seats=12;Hello",
    ],
    [
      "{% for i in (1..3) %}{% for j in (i..3) limit: 2 %}{{ i }}{{ j }} {% endfor %}{% endfor %}{{ i }}",
      "11 12 22 23 33 ",
    ],
    ["{% for word in customer.tags %}{{ word }}{% assign word = 'x' %}{% endfor %}{{ word }}", "vipnewx"],
    [
      "{% assign a = word | upcase %}{{ a }}{% assign word = 'new' %}{{ word }}{% assign b = nobody %}{{ b }}",
      "HELLOnew",
    ],
    [
      "{{ word }}{% capture word %}[{{ word }}]{% endcapture %}{{ word }}{% capture 'x' %}1{% endcapture %}{{ x }}{% capture \"y\" %}2{% endcapture %}{{ y }}",
      "Hello[Hello]12",
    ],
    [
      "a{% comment %}{{ | }}{% if %}{% endcomment %}b {%- raw -%} {{ x }} {% endraw %}{% raw %}{% endraw %}",
      "ab {{ x }} ",
    ],
    ["  {{- word -}}  {% if true -%} x {%- endif %}", "Hellox"],
  ])("%s", (source, text) => expect(render(source)).toBe(text));

  test("prototypes are out of reach", () => {
    expect(
      render(
        "{{ word.constructor }}{{ customer.__proto__ }}{{ customer.tags.map }}{{ constructor.name }}{{ customer['toString'] }}",
      ),
    ).toBe("");
    const odd = scopeOf({ row: Object.create({ secret: 1 }) as object });
    expect(compiled("{{ row.secret }}{{ row['secret'] }}").render(odd)).toBe("");
  });
});

describe("what is refused", () => {
  test.each([
    ["{{ a | foo }}", 'undefined filter "foo" (line 1, column 8)'],
    ["{{ a | constructor }}", "undefined filter"],
    ["\n\n {% include 'x' %}", 'undefined tag "include" (line 3, column 2)'],
    ["{% toString %}", "undefined tag"],
    ["{% else %}", "undefined tag"],
    ["{{ '\\ud83d' }}", "cannot be kept"],
    ['{{ a | append: "x\\0" }}', "cannot be kept"],
    ["{{ a b }}", "two values"],
    ["{{ }}", "invalid value"],
    ["{{ a == }}", "lacks a value"],
    ["{{ == a }}", "lacks a value"],
    ["{{ not }}", "lacks a value"],
    ["{{ a ) }}", "unexpected"],
    ["{{ a, b }}", "unexpected"],
    ["{{ [0].a }}", "begins with a name"],
    ["{{ a | append }}", "takes 1 values, not 0"],
    ["{{ a | upcase: 1 }}", "takes 0 values"],
    ["{{ a | truncate: 1, 2, 3 }}", "takes 0 to 2 values"],
    ["{{ a | default: 1, allow_fals: true }}", 'takes no "allow_fals"'],
    ["{{ a | default: 1, allow_false: }}", "takes no"],
    ["{{ a", "not closed"],
    ["{% if a", "not closed"],
    ["{% if a %}", 'the tag "if" is not closed (line 1, column 1)'],
    ["{% if a %}{% else x %}{% endif %}", "unexpected"],
    ["{% if a %}{% else %}{% elsif b %}{% endif %}", "undefined tag"],
    ["{% case a %}{% when %}{% endcase %}", "value expected"],
    ["{% case a %}{% when 1 2 %}{% endcase %}", "parted"],
    ["{% case a %}{% else x %}{% endcase %}", "unexpected"],
    ["{% case a %}", "not closed"],
    ["{% for x of y %}{% endfor %}", "for name in list"],
    ["{% for %}{% endfor %}", "for name in list"],
    ["{% for x in y limits: 1 %}{% endfor %}", "knows no"],
    ["{% for x in y limit %}{% endfor %}", "knows no"],
    ["{% for x in y ! %}{% endfor %}", "unexpected"],
    ["{% for x in y %}{% else z %}{% endfor %}", "unexpected"],
    ["{% assign = 1 %}", "needs the name"],
    ["{% capture %}{% endcapture %}", "needs the name"],
    ["{% comment %}", "not closed"],
    ["{% raw %}", "not closed"],
    [`{{ ${"a[".repeat(30)} }}`, "brackets"],
    [`{% for x in ${"a[".repeat(30)} %}{% endfor %}`, "brackets"],
    ["{% if true %}".repeat(21), "blocks inside"],
    [`{{ a${".b".repeat(51)} }}`, "more than 50 steps"],
    [`{{ a["${"x".repeat(1000)}"] }}`, "at most 1000 characters"],
    [`{{ a ${"| upcase ".repeat(51)} }}`, "more than 50 filters"],
    [`{{ a ${"and a ".repeat(100)} }}`, "more than 200 values"],
    [`{{ ${"not ".repeat(200)} a }}`, "more than 200 values"],
  ])("%s", (source, message) => {
    expect(problem(source)).toMatchObject({ code: "template_invalid", path: "/input/text" });
    expect(problem(source)!.message).toContain(message);
  });

  test("a text that is too long", () => {
    expect(problem(`{{ a }}${"x".repeat(limits.textLength)}`)!.message).toBe("a text has at most 65536 characters");
  });

  test("never throws and never renders differently twice, whatever is written", () => {
    const piece = fc.constantFrom(
      "{{",
      "}}",
      "{%",
      "%}",
      "if",
      "endif",
      "for",
      "x in",
      "(1..9)",
      "endfor",
      "|",
      "default:",
      "'",
      "a",
      "[",
      ".b",
      "raw",
      "endraw",
      " ",
      "-",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const result = compileText(pieces.join(" "));
        if (result.ok) expect(result.text.render(scope)).toBe(result.text.render(scope));
        else expect(result.problems[0]!.code).toMatch(/^template_/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("what runs away", () => {
  test.each([
    "{% for i in (1..100000000) %}x{% endfor %}",
    "{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}",
  ])("is refused where it is plain to see: %s", (source) => expect(problem(source)!.code).toBe("template_runaway"));

  test("a written limit is counted", () => {
    expect(render("{% for i in (1..50000) limit: 2 %}{{ i }}{% endfor %}")).toBe("12");
    expect(
      render("{% for i in (n..3) %}x{% endfor %}{% for i in (3..1) %}y{% endfor %}{% for i in (1..n) %}z{% endfor %}"),
    ).toBe("xxxx");
  });

  test.each([
    "{% assign n = 100000000 %}{% for i in (1..n) %}x{% endfor %}",
    "{% assign n = 900 %}{% for i in (1..n) %}{% for j in (1..n) %}{% endfor %}{% endfor %}",
    "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..20) %}{% assign a = a | append: a %}{% endfor %}",
    "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..20) %}{% assign a = a | replace: 'x', 'xx' %}{% endfor %}",
    "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..9) %}{% assign a = a | split: '' | join: 'xxxxxxxxxx' %}{% endfor %}",
    "{% capture a %}{% for i in (1..9000) %}{{ word }}{{ word }}{% endfor %}{% endcapture %}",
    "{% assign l = (1..9000) %}{% for i in (1..100) %}{% if l contains 'x' %}{% endif %}{% endfor %}",
  ])("faults, the same each time: %s", (source) => {
    const text = compiled(source);
    const fault = expect.objectContaining({ name: "TemplateFault", code: "template_runaway" });
    expect(() => text.render(scope)).toThrow(fault);
    expect(() => text.render(scope)).toThrow(fault);
  });

  test("a range between numbers too large to count ends", () => {
    expect(
      render("{% assign n = 1 | times: 100000000000000000 %}{% assign m = n | plus: 32 %}{{ (n..m) | size }}"),
    ).toBe("33");
  });
});

test("what it reads, every reader of a path can read", () => {
  const index = fc.constantFrom("1.5", "-1", "99999999999999999999", "0", "'a b'", "b.c", "1e3");
  fc.assert(
    fc.property(fc.array(index, { minLength: 1, maxLength: 4 }), (keys) => {
      const { reads } = compiled(`{{ a${keys.map((key) => `[${key}]`).join("")} }}`);
      expect(reads.map(parsePath)).not.toContain(null);
    }),
  );
});

test("a bug is not taken for a bad text", () => expect(() => compileText(null as never)).toThrow(TypeError));

test("reads: the scope's paths, without what the text names itself", () => {
  const source =
    "{{ customer.first_name }}{% for l in order.lines %}{{ l.sku }}{{ forloop.index }}{% endfor %}{% assign t = a[b.c].d %}{{ t }}{{ steps['x y'][0].id | append: e }}{{ f[-1] }}";
  expect(variables(compiled(source))).toEqual([
    "a",
    "b.c",
    "customer.first_name",
    "e",
    "f",
    "order.lines",
    'steps["x y"][0].id',
  ]);
  expect(compiled("plain")).toMatchObject({ source: "plain", reads: [] });
});

test("agrees with liquidjs", () => {
  const reference = new Liquid({ ownPropertyOnly: true, strictFilters: true });
  const path = fc.constantFrom(
    "customer.first_name",
    "customer.last_name",
    "word",
    "key",
    "nobody.x",
    "customer.properties[key]",
    "lines[1].sku",
    "spaces",
    "i",
    "t",
  );
  const literal = fc.constantFrom("'a'", "'Hello World'", "''");
  const filter = fc.constantFrom(
    "",
    " | upcase",
    " | downcase",
    " | capitalize",
    " | strip",
    " | default: 'x'",
    " | append: key",
    " | prepend: 'p'",
    " | split: 'l' | join: '-'",
    " | replace: 'l', 'LL'",
    " | truncate: 4",
    " | truncate: 6, '!'",
    " | size",
    " | plus: 3",
    " | times: 2.5 | round: 1",
    " | minus: 1 | abs",
    " | divided_by: 4 | floor",
    " | escape",
    " | url_encode",
    " | slice: 1, 2",
    " | slice: -3, 2",
    " | split: '' | first",
    " | split: '' | reverse | join",
    " | remove: 'l'",
    " | replace_first: 'l', 'x'",
    " | newline_to_br",
    " | at_least: 2",
    " | modulo: 3",
    " | lstrip",
    " | rstrip",
    " | split: '' | uniq | sort | join: ','",
    " | strip_newlines",
    " | at_most: 1 | ceil",
  );
  const value = fc.tuple(fc.oneof(path, literal), filter).map(([a, b]) => a + b);
  const test_ = fc.oneof(
    fc.tuple(path, fc.constantFrom("==", "!="), fc.oneof(literal, fc.constant("nil"))).map((parts) => parts.join(" ")),
    fc.tuple(path, fc.constantFrom("and", "or"), path).map((parts) => parts.join(" ")),
    fc.constantFrom(
      "customer.properties.seats > 10",
      "customer.tags contains key",
      "word contains 'el'",
      "nothing == empty",
      "spaces == blank",
      "word < 'a'",
      "true and false or true",
      "not word",
    ),
  );
  const { text } = fc.letrec((tie) => ({
    text: fc
      .array(
        fc.oneof(
          { maxDepth: 3, withCrossShrink: true },
          fc.constantFrom("x", " \n ", "<&>"),
          value.map((v) => `{{ ${v} }}`),
          // Made a text at once: liquidjs hands null through some filters, and tells it from missing afterwards.
          value.map((v) => `{%- assign t = ${v} | append: '' -%}`),
          fc
            .tuple(test_, tie("text"), tie("text"))
            .map(([c, a, b]) => `{% if ${c} %}${String(a)}{% else %}${String(b)}{% endif %}`),
          fc.tuple(test_, tie("text")).map(([c, a]) => `{% unless ${c} -%} ${String(a)}{% endunless %}`),
          fc
            .tuple(
              fc.constantFrom(
                "lines",
                "customer.tags",
                "(1..4)",
                "nothing",
                "word",
                "lines reversed",
                "(1..4) limit: 2 offset: 1",
                "lines offset: 1",
              ),
              tie("text"),
            )
            .map(
              ([l, a]) => `{% for i in ${l} %}{{ forloop.index0 }}{{ i.sku }}${String(a)}{% else %}none{% endfor %}`,
            ),
          fc
            .tuple(path, tie("text"), tie("text"))
            .map(
              ([p, a, b]) =>
                `{% case ${p} %}{% when 'Ann', key %}${String(a)}{% when 'Hello' or nil %}2{% else %}${String(b)}{% endcase %}`,
            ),
          tie("text").map((a) => `{% capture t %}${String(a)}{% endcapture %}`),
        ),
        { maxLength: 4 },
      )
      .map((parts) => parts.join("")),
  }));
  let rendered = 0;
  fc.assert(
    fc.property(text, (source) => {
      // liquidjs prints an object by its class; nobody wants that, so loop items are printed by field only.
      const mine = source.replaceAll(/\{\{ i( \|[^}]*)? \}\}|= i( \|[^%]*)? -?%/g, (whole) =>
        whole.replace(/ i/, " i.sku"),
      );
      const ours = compiled(mine).render(scope);
      expect(ours).toBe(reference.parseAndRenderSync(mine, structuredClone(roots)));
      if (ours !== "") rendered += 1;
    }),
    { numRuns: 1_000 },
  );
  expect(rendered).toBeGreaterThan(500);
});
