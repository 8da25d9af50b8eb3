import fc from "fast-check";
import { expect, test } from "vitest";
import { type QueueMark, RunQueue } from "./run-queue.ts";

type Act = "push" | "take" | "clear" | "mark" | "goBack";

test("is a list from which the first is taken, and goes back to any mark that was set since the last one it went back to", () => {
  const acts = fc.array(fc.constantFrom<Act>("push", "push", "take", "clear", "mark", "goBack"), { maxLength: 40 });
  fc.assert(
    fc.property(fc.array(fc.uuid()), acts, (start, list) => {
      const queue = new RunQueue(start);
      let model: readonly string[] = start;
      const marks: { readonly mark: QueueMark; readonly model: readonly string[] }[] = [];
      for (const [n, act] of list.entries()) {
        if (act === "push") {
          queue.push(`${n}`, `${n}b`);
          model = [...model, `${n}`, `${n}b`];
        } else if (act === "take" && model.length > 0) {
          queue.take();
          model = model.slice(1);
        } else if (act === "clear") {
          queue.clear();
          model = [];
        } else if (act === "mark") marks.push({ mark: queue.mark(), model });
        else if (act === "goBack") {
          const last = marks.pop();
          if (last !== undefined) {
            queue.goBack(last.mark);
            ({ model } = last);
          }
        }
        expect([...queue]).toEqual(model);
        expect(queue.first).toBe(model[0]);
      }
    }),
  );
});
