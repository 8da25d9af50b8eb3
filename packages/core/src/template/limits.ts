/**
 * What one text may cost. Counts, never milliseconds: a text that fails must fail the same on every machine.
 * `steps` are block entries, loop rounds, filter calls, the list items and pieces of text that they touch, and what a date
 * takes; they count against the root's allowance too (`meter.ts`).
 */
export const limits = {
  /** characters of a text as written */
  textLength: 65_536,
  /** blocks inside blocks, and brackets inside brackets */
  depth: 20,
  /** steps of a path such as `customer.properties.plan`, and its characters as written */
  pathSteps: 50,
  pathLength: 1_000,
  /** values and operators of one expression, and filters in a row: each is a level of the stack */
  expression: 200,
  filters: 50,
  steps: 100_000,
  /** time zones other than the organization's own that one text may name; the first look at a zone takes long */
  zones: 8,
  /** characters of a rendered text, of a captured text and of a filter's result */
  outputLength: 65_536,
  /** levels of objects and lists in a value as written */
  valueDepth: 32,
  /** what a value may come to, with all that it refers to: characters of texts and names (any other part counts as eight), and levels */
  valueLength: 262_144,
  valueLevels: 200,
} as const;
