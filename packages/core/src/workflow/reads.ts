import { parsePath, type Path } from "../template/path.ts";
import type { TriggerDocument } from "./document.ts";
import { isUnknownField } from "./fields.ts";
import { error, type Problem } from "./problem.ts";
import { anchorOf, knows } from "./subjects.ts";

/** What a condition or value may read where it stands. */
export interface Place {
  readonly roots: ReadonlySet<string>;
  /** ids of the steps and names of the inputs; null outside a run */
  readonly run: { readonly steps: ReadonlySet<string>; readonly inputs: ReadonlySet<string> } | null;
  /** whether the changes of an event are at hand, for `changed` and its like */
  readonly changes: boolean;
}

/** A trigger's condition reads the event and what it is about; a time trigger's its subject alone (MILL law 14). */
export function triggerPlace(trigger: TriggerDocument): Place {
  if ("time" in trigger) {
    const subjects = anchorOf(trigger.time.since)?.subject === "customer" ? ["customer"] : ["conversation", "customer"];
    return { roots: new Set(["organization", ...subjects]), run: null, changes: false };
  }
  const subjects = (["conversation", "customer", "message"] as const).filter(
    (root) => knows([trigger], root) === "always",
  );
  return { roots: new Set(["organization", "event", "user", ...subjects]), run: null, changes: true };
}

/** A step reads its run besides. */
export function stepPlace(steps: ReadonlySet<string>, inputs: ReadonlySet<string>): Place {
  const roots = ["organization", "event", "user", "conversation", "customer", "message", "steps", "inputs", "run"];
  return { roots: new Set(roots), run: { steps, inputs }, changes: false };
}

/** What is wrong with what a condition or value reads. */
export function readProblems(reads: readonly string[], place: Place, path: string): Problem[] {
  return reads.flatMap((read) => {
    const steps = parsePath(read) as Path; // written by formatPath
    const [root, name] = steps as [string, string | number | undefined];
    if (!place.roots.has(root)) {
      const message = `"${root}" cannot be read here: there are ${[...place.roots].join(", ")}`;
      return [error("reference_out_of_scope", path, message)];
    }
    if (isUnknownField(steps)) return [error("field_unknown", path, `A ${root} has no field "${name}"`)];
    const known = root === "steps" || root === "inputs" ? place.run?.[root] : undefined;
    if (known === undefined || name === undefined || known.has(String(name))) return [];
    return [error("reference_dangling", path, `There is no ${root === "steps" ? "step" : "input"} "${name}"`)];
  });
}
