import fc from "fast-check";
import { test } from "vitest";
import { anySetting, moves, playHistory } from "../testing/histories.ts";
import { millShell } from "../testing/mill.ts";
test("stats", () => {
  const c: Record<string, number> = {};
  const add = (k: string) => (c[k] = (c[k] ?? 0) + 1);
  for (const [setting, list] of fc.sample(fc.tuple(anySetting, moves(30)), { numRuns: 500, seed: 1 })) {
    const one = millShell(setting);
    const items = playHistory(one, list);
    for (const i of items) add("item " + i.kind);
    for (const r of one.runs()) { add("run " + r.status + " " + (r.reason?.code ?? "")); for (const s of r.steps) add("step " + s.kind + " " + s.status + " " + (s.reason?.code ?? "")); if (r.depth > 1) add("deep " + r.depth); if (r.trigger.type === "time") add("time run"); }
    for (const d of one.dropped) add("dropped " + d.kind);
    for (const d of one.replies) add("reply " + (d.answer.ok ? "ok" : d.answer.code) + (d.repeated ? " repeated" : ""));
  }
  console.log(Object.entries(c).sort().map(([k, v]) => `${k}: ${v}`).join("\n"));
});
