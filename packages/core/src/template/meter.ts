/**
 * What evaluating texts, conditions and explanations takes from a root's allowance. A step is a count of work done, about
 * a tenth of a microsecond of it; never a time, so that the same thing fails the same on every machine.
 */
export interface Meter {
  /** Steps that may still be taken. */
  left(): number;
  /** Takes steps. Throws AllowanceSpent where that was more than was left; they are taken all the same. */
  take(steps: number): void;
}

/** Steps of work that make one operation, the unit of slices and allowances. Each operation has as many of its own. */
export const stepsPerOperation = 2048;

/** Evaluating took more than the root's allowance had left. It fails the run, and no evaluation catches it. */
export class AllowanceSpent extends Error {
  readonly code = "allowance";

  constructor() {
    super("One message or command may set off only so much work, and texts and conditions have spent it");
    this.name = "AllowanceSpent";
  }
}

/** Steps of putting one member of an object in its place among the others, and writing it down. */
export const stepsPerMember = 14;

/**
 * Steps of looking at a value once: one for each item and each 64 characters of texts. An object is looked into only
 * where it is taken as a whole, and may cost more for each of its members.
 */
export function weigh(value: unknown, whole = false, perMember = 1): number {
  if (typeof value === "string") return 1 + (value.length >> 6);
  if (typeof value !== "object" || value === null) return 1;
  const inner: readonly unknown[] = Array.isArray(value) ? value : whole ? Object.values(value) : [];
  const own = Array.isArray(value) ? 1 : 1 + inner.length * (perMember - 1);
  return inner.reduce<number>((sum, item) => sum + weigh(item, whole, perMember), own);
}
