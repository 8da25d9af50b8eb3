import { didYouMean } from "../text/nearest.ts";
import type { StepDocument } from "./document.ts";
import { error, pointer, type Problem, warning } from "./problem.ts";

/** A line from a step to the next, and where the document says so (JSON pointer within the step). */
export interface Edge {
  readonly to: string;
  readonly path: string;
}

/** The ways out of a step, in the order in which a reader meets them. Ways that end the run are none. */
export function edgesOf(step: StepDocument): Edge[] {
  const edges: Edge[] = [];
  const add = (to: string | null | undefined, path: string) => {
    if (to !== null && to !== undefined) edges.push({ to, path });
  };
  if ("branch" in step) step.branch.forEach((branch, at) => add(branch.next, `/branch/${at}/next`));
  if ("stop" in step) return edges;
  add(step.next, "/next");
  if ("onInterrupt" in step) add(step.onInterrupt, "/onInterrupt");
  add(step.onError, "/onError");
  return edges;
}

/** Step ids in the order in which a reader walks from the start; what cannot be reached follows, sorted. */
export function walk(
  start: string,
  steps: ReadonlyMap<string, StepDocument>,
): { readonly reached: readonly string[]; readonly rest: readonly string[] } {
  const reached = new Set<string>();
  const open = [start];
  while (open.length > 0) {
    const id = open.pop() as string;
    const step = steps.get(id);
    if (step === undefined || reached.has(id)) continue;
    reached.add(id);
    // the first way out is walked to its end before the second
    for (const edge of edgesOf(step).toReversed()) open.push(edge.to);
  }
  return { reached: [...reached], rest: [...steps.keys()].filter((id) => !reached.has(id)).sort() };
}

/**
 * What is wrong with the edges. `known` holds every step id, `steps` those whose shape is sound; where these differ the
 * graph is not whole, and only its edges are looked at.
 */
export function graphProblems(
  start: string,
  steps: ReadonlyMap<string, StepDocument>,
  known: ReadonlySet<string>,
): Problem[] {
  const dangling = [...steps].flatMap(([id, step]) =>
    edgesOf(step)
      .filter((edge) => !known.has(edge.to))
      .map((edge) => noStep(pointer("/steps", id) + edge.path, edge.to, known)),
  );
  if (!known.has(start)) return [noStep("/start", start, known), ...dangling];
  if (steps.size < known.size) return dangling;
  const unreachable = walk(start, steps).rest.map((id) =>
    warning("step_unreachable", pointer("/steps", id), `No way leads from the start to the step "${id}"`),
  );
  return [...dangling, ...unreachable, ...cycleProblems(steps)];
}

const noStep = (path: string, id: string, known: ReadonlySet<string>) =>
  error("edge_dangling", path, `There is no step "${id}"${didYouMean(id, known)}`);

/** Whether the step waits by the clock: a second at least, even for an instant gone by. A wait for an event alone may be over at once. */
const takesTime = (step: StepDocument): boolean => "wait" in step && (step.wait.for ?? step.wait.until) !== undefined;

/** One problem for each knot of steps that can go round without a wait. */
function cycleProblems(steps: ReadonlyMap<string, StepDocument>): Problem[] {
  const quick = new Map([...steps].filter(([, step]) => !takesTime(step)));
  return components(quick)
    .filter(
      (ids) =>
        ids.length > 1 || edgesOf(quick.get(ids[0] as string) as StepDocument).some((edge) => edge.to === ids[0]),
    )
    .map((ids) => {
      const round = [...steps.keys()].filter((id) => ids.includes(id));
      const names = round.map((id) => `"${id}"`).join(", ");
      return error(
        "cycle_without_wait",
        pointer("/steps", round[0] as string),
        `These steps can go round for ever without waiting: ${names}`,
      );
    });
}

/** Strongly connected components (Tarjan), without recursion deeper than the number of steps. */
function components(steps: ReadonlyMap<string, StepDocument>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const found: string[][] = [];
  const visit = (id: string, step: StepDocument): number => {
    const own = index.size;
    let lowest = own;
    index.set(id, own);
    stack.push(id);
    onStack.add(id);
    for (const { to } of edgesOf(step)) {
      const target = steps.get(to);
      if (target === undefined) continue;
      if (!index.has(to)) lowest = Math.min(lowest, visit(to, target));
      else if (onStack.has(to)) lowest = Math.min(lowest, low.get(to) ?? (index.get(to) as number));
    }
    low.set(id, lowest);
    if (lowest === own) {
      const members = stack.splice(stack.indexOf(id));
      for (const member of members) onStack.delete(member);
      found.push(members);
    }
    return lowest;
  };
  for (const [id, step] of steps) if (!index.has(id)) visit(id, step);
  return found;
}
