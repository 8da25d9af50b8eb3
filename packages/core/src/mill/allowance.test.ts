import { describe, expect, test } from "vitest";
import { indexSettings } from "../domain/settings-index.ts";
import type { Json } from "../model/common.ts";
import { officeSettings, publish } from "../testing/mill.ts";
import { stage } from "../testing/stage.ts";
import type { WorkflowDocument } from "../workflow/document.ts";

const received = { triggers: [{ event: "message.received" }] };
const text = "b".repeat(5000);
/** A regular expression of a thousand instructions over the message: about 150 operations. */
const heavy = { field: "message.text", op: "matches", value: "a{990}" };
const heavies = (count: number): Json => ({ any: Array.from({ length: count }, () => heavy) });
const branch = (when: Json) => ({ look: { branch: [{ when }] } });
const rounds = (count: number) => `{% for i in (1..${count}) %}{% endfor %}x`;
/** A text that takes about 30 operations. */
const note = (next?: string) => ({ action: "message.note", input: { text: rounds(20_000) }, ...(next && { next }) });

function outcomes(workflows: readonly Partial<WorkflowDocument>[], slice?: number) {
  const play = stage({ workflows: workflows.map((each, n) => publish(n, { ...received, ...each } as never)) });
  if (slice === undefined) play.receive(text);
  else {
    const whole = stage({ workflows: [] });
    whole.receive(text);
    play.shell.feed(whole.items, slice);
  }
  expect(play.shell.leftover).toBeNull();
  // in the order in which they take their steps; what took none is counted and told once
  const runs = workflows.flatMap((_, n) => play.runsOf(n).map((run) => [run.status, run.reason?.code ?? null]));
  const withheld = play.shell.log.filter((event) => event.type === "run.withheld");
  return [...runs, ...withheld.map(({ data }) => [`${JSON.stringify(data?.["count"])} withheld`, data?.["code"]])];
}

describe("the work of evaluating counts against the allowance of a root", () => {
  test("L7: regular expressions in branches: what exceeds it fails visibly, what had still to come is told", () => {
    const document = { steps: branch(heavies(2)) };
    expect(outcomes([document, document, document])).toEqual([
      ["finished", null],
      ["failed", "allowance"],
      ["1 withheld", "allowance"],
    ]);
  });

  test("L7: regular expressions in triggers", () => {
    const document = { triggers: [{ event: "message.received", when: heavies(4) }], steps: branch(heavies(1)) };
    expect(outcomes([{ steps: branch(heavies(1)) }, document, document, document])).toEqual([
      ["failed", "allowance"],
      ["2 withheld", "allowance"],
    ]);
  });

  test("L7: texts", () => {
    const names = Array.from({ length: 60 }, (_, n) => `s${n}`);
    const steps = Object.fromEntries(names.map((name, n) => [name, note(names[n + 1])]));
    expect(outcomes([{ steps }])).toEqual([["failed", "allowance"]]);
  });

  test("L7: a step that catches its failures gets no more of it", () => {
    const steps = { look: { ...branch(heavies(8)).look, onError: "again" }, again: branch(heavies(1)).look };
    expect(outcomes([{ steps }])).toEqual([["stopped", "allowance"]]);
  });

  test("L7: an organization that allows more gets more", () => {
    const { organization } = officeSettings;
    const settings = indexSettings({
      ...officeSettings,
      organization: { ...organization, limits: { ...organization.limits, allowance: 10_000 } },
    });
    const play = stage({ settings, workflows: [publish(1, { ...received, steps: branch(heavies(8)) }, { settings })] });
    play.receive(text);
    expect(play.runsOf(1)).toMatchObject([{ status: "finished" }]);
  });

  test("L1: it is spent alike however the work is cut, since what was spent is in the left-over", () => {
    const document = {
      steps: { ...branch(heavies(1)), look: { ...branch(heavies(1)).look, next: "note" }, note: note() },
    };
    const workflows = [document, document, document, document];
    const whole = outcomes(workflows);
    expect(whole.map(([status]) => status)).toContain("failed");
    for (const slice of [1, 2, 100, 500]) expect(outcomes(workflows, slice)).toEqual(whole);
  });

  test("ordinary workflows pay for their operations and nothing more", () => {
    const steps = {
      who: { branch: [{ when: { field: "message.text", op: "matches", value: "refund|money back" }, next: "note" }] },
      note: { action: "message.note", input: { text: "Hi {{ customer.first_name | default: 'there' }}" } },
    };
    const play = stage({ workflows: [publish(1, { ...received, steps })] });
    const { operations } = play.shell.call([], 100);
    play.receive("I want a refund");
    expect([operations, play.runsOf(1)[0]?.steps.length]).toEqual([0, 2]);
    const again = stage({ workflows: [publish(1, { ...received, steps })] });
    expect(again.shell.call(play.items, 100).operations).toBe(4);
  });
});
