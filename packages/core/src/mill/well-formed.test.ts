import { expect, test } from "vitest";
import { publish } from "../testing/mill.ts";
import { stage } from "../testing/stage.ts";
import { findBadText } from "../text/unicode.ts";
import type { WorkflowDocument } from "../workflow/document.ts";

const received = { triggers: [{ event: "message.received" }] };
const long = `${"x".repeat(55)}😀😀😀`;

/** Everything that the shell was handed to write. */
const written = ({ shell }: ReturnType<typeof stage>) => ({
  rows: [...shell.world.rows],
  log: shell.log,
  runs: shell.runs(),
  receipts: shell.receipts,
});

test.each<[string, WorkflowDocument["steps"]]>([
  ["a slice", { a: { action: "message.note", input: { text: "{{ message.text | slice: 0, 10 }}" } } }],
  ["halves", { a: { action: "message.note", input: { text: "{{ message.text | split: '' | reverse | join: '' }}" } } }],
  ["a fault that quotes", { a: { branch: [{ when: { field: "message.text", op: "gt", value: 1 } }] } }],
  ["an explanation", { a: { branch: [{ when: { field: "message.text", op: "is", value: "{{ message.text }}" } }] } }],
])("whatever %s makes of a customer's emoji can be stored", (_name, steps) => {
  for (const text of ["I am glad😀 thanks", long, "😀", `x${"😀".repeat(150)}`]) {
    const play = stage({ workflows: [publish(1, { ...received, steps })] });
    play.receive(text);
    expect(play.runsOf(1)).toHaveLength(1);
    expect(findBadText(written(play))).toBe(null);
  }
});

test("what another system says of an effect is kept as text that can be stored", () => {
  const send = { action: "message.send", input: { text: "hi" }, await: true } as const;
  const note = { action: "message.note", input: { text: "{{ steps.a.error.message }}" } } as const;
  for (const message of ["\ud83d half", "a\0b", `${"x".repeat(499)}😀`]) {
    const play = stage({ workflows: [publish(1, { ...received, steps: { a: { ...send, onError: "b" }, b: note } })] });
    play.receive();
    const [effect] = play.shell.effects();
    play.settle(effect!.id, { status: "failed", error: { code: "refused", message } });
    expect(play.runsOf(1)[0]?.steps).toHaveLength(2);
    expect(findBadText(written(play))).toBe(null);
  }
});
