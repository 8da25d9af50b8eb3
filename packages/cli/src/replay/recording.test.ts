import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRecording } from "./recording.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "threadmill-recording-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = join(folder, "recording.json");
  await writeFile(file, text);
  return readRecording(file);
}
const message = { from: "customer", at: "2026-11-20T17:00:00Z", text: "hi" };
const one = (fields: object) => JSON.stringify([{ id: "a", messages: [{ ...message, ...fields }] }]);

test("reads conversations; fields that it does not need may be there", async () => {
  const read1 = await read(
    JSON.stringify([
      { id: "a", company: "X", messages: [message, { from: "agent", at: "2026-11-20T18:00:00+01:00", text: "" }] },
    ]),
  );
  const atMs = Date.parse("2026-11-20T17:00:00Z");
  expect(read1).toEqual([
    {
      id: "a",
      messages: [
        { from: "customer", atMs, text: "hi" },
        { from: "agent", atMs, text: "" },
      ],
    },
  ]);
  expect(await read("[]")).toEqual([]);
});

test.each([
  ["{", /is no JSON/],
  ["{}", /the whole is no array/],
  ["[1]", /\/0 is no object/],
  ['[{"messages":[]}]', /\/0\/id is no text/],
  ['[{"id":"a"}]', /\/0\/messages is no array/],
  ['[{"id":"a","messages":[]},{"id":"a","messages":[]}]', /\/1\/id is "a" for the second time/],
  ['[{"id":"a","messages":[null]}]', /\/0\/messages\/0 is no object/],
  [one({ from: "robot" }), /\/0\/messages\/0\/from is neither/],
  [one({ at: "yesterday" }), /\/0\/messages\/0\/at is no ISO 8601/],
  [one({ at: "2026-11-20T17:00:00" }), /\/0\/messages\/0\/at is no ISO 8601/],
  [one({ text: 7 }), /\/0\/messages\/0\/text is no text/],
])("refuses %s", async (text, sentence) => {
  await expect(read(text)).rejects.toThrow(sentence);
});

test("a file that is not there", async () => {
  await expect(readRecording(join(folder, "none.json"))).rejects.toMatchObject({
    code: "file_unreadable",
    exit: "refused",
  });
});
