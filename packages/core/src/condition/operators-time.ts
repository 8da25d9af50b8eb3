import { parseDuration, plainSeconds } from "../time/duration.ts";
import { toMs } from "../time/instant.ts";
import { brief } from "../text/characters.ts";
import { OperandFault } from "./fault.ts";
import { nextWithin, within } from "./moment.ts";
import { negation, type Operator } from "./operator.ts";

const inLast: Operator<number> = {
  label: "is in the last",
  phrase: "{field} is in the last {value}",
  fields: ["date"],
  value: "duration",
  over: "items",
  timed: true,
  prepare: prepareDuration,
  test: (left, ms, scope) => within(left, toMs(scope.at) - ms, toMs(scope.at), scope),
  nextChange: (left, ms: number, scope) => nextWithin(left, -ms, 0, scope),
};

/** Operators that compare a date with the item's instant. Durations run by the plain clock, where a day has 24 hours. */
export const timeOperators = {
  in_last: inLast,
  not_in_last: negation(inLast, { label: "is not in the last", phrase: "{field} is not in the last {value}" }),
  in_next: {
    ...inLast,
    label: "is in the next",
    phrase: "{field} is in the next {value}",
    test: (left, ms, scope) => within(left, toMs(scope.at), toMs(scope.at) + ms, scope),
    nextChange: (left, ms: number, scope) => nextWithin(left, 0, ms, scope),
  } satisfies Operator<number>,
};

/** Milliseconds of "2h". */
function prepareDuration(value: unknown): number {
  if (typeof value !== "string") throw new OperandFault(`${brief(value)} is no duration such as "2h"`);
  const answer = parseDuration(value);
  if (!answer.ok) throw new OperandFault(answer.message, answer.code);
  return plainSeconds(answer.duration) * 1000;
}
