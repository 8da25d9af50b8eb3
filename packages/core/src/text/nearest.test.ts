import fc from "fast-check";
import { expect, test } from "vitest";
import { didYouMean, nearest } from "./nearest.ts";

const known = ["message.received", "message.sent", "conversation.closed", "customer.tags_added"];

test.each([
  ["message.recieved", "message.received"],
  ["message.receved", "message.received"],
  ["Message.Received", "message.received"],
  ["mesage.snt", "message.sent"],
  ["conversation.close", "conversation.closed"],
  ["customer.addTags", null],
  ["x", null],
  ["", null],
  ["m".repeat(41), null],
])("%j means %j", (word, meant) => expect(nearest(word, known)).toBe(meant));

test("looks at the first hundred", () => {
  const many = Array.from({ length: 200 }, (_, n) => `word-${String(n).padStart(6, "0")}`);
  expect(nearest("word-00099", many)).toBe("word-000099");
  expect(nearest("word-999999-", [...many.slice(0, 100), "word-999999"])).toBe(null);
});

test("the sentence", () => {
  expect(didYouMean("message.sen", known)).toBe('; did you mean "message.sent"?');
  expect(didYouMean("nothing like it", known)).toBe("");
  expect(didYouMean({ odd: 1 }, known)).toBe("");
});

test("one slip is always found, and a word is nearest to itself", () => {
  const slip = fc.tuple(fc.constantFrom(...known), fc.nat(), fc.constantFrom("drop", "add", "replace", "swap"));
  fc.assert(
    fc.property(slip, ([word, n, how]) => {
      const at = n % (word.length - 1);
      const [head, one, two, tail] = [word.slice(0, at), word[at]!, word[at + 1]!, word.slice(at + 2)];
      const mistaken = {
        drop: head + two + tail,
        add: `${head}${one}q${two}${tail}`,
        replace: `${head}q${two}${tail}`,
        swap: head + two + one + tail,
      };
      expect(nearest(mistaken[how as "drop"], known)).toBe(word);
      expect(nearest(word, known)).toBe(word);
    }),
  );
});
