import type { Filter } from "./filter.ts";
import { toNumber } from "./liquid-value.ts";
import { TemplateFault } from "./problem.ts";

/** Filters that reckon. What is no number counts as 0; a result that is none (n / 0) is a fault. */
export const numberFilters = {
  plus: two((a, b) => a + b),
  minus: two((a, b) => a - b),
  times: two((a, b) => a * b),
  divided_by: two((a, b) => a / b),
  modulo: two((a, b) => ((a % b) + b) % b),
  at_least: two(Math.max),
  at_most: two(Math.min),
  abs: one(Math.abs),
  ceil: one(Math.ceil),
  floor: one(Math.floor),
  round: { takes: [0, 1], run: (input, [digits]) => round(toNumber(input), Math.trunc(toNumber(digits))) },
} satisfies Record<string, Filter>;

function one(reckon: (a: number) => number): Filter {
  return { takes: [0, 0], run: (input) => reckon(toNumber(input)) };
}

function two(reckon: (a: number, b: number) => number): Filter {
  return {
    takes: [1, 1],
    run: (input, [other]) => {
      const result = reckon(toNumber(input), toNumber(other));
      if (!Number.isFinite(result))
        throw new TemplateFault("template_value", "the result is not a number (division by zero?)");
      return result;
    },
  };
}

/** Shifts the decimal point in the written number: 1.005 * 100 would be 100.49999999999999. */
function round(value: number, digits: number): number {
  const shifted = shift(Math.abs(value), digits);
  if (!(shifted <= Number.MAX_SAFE_INTEGER)) return value;
  const result = shift(Math.round(shifted), -digits);
  return value < 0 && result !== 0 ? -result : result;
}

function shift(value: number, digits: number): number {
  const [mantissa, exponent = "0"] = String(value).split("e");
  return Number(`${mantissa}e${Number(exponent) + digits}`);
}
