import { dateFilter } from "./filter-date.ts";
import type { Filter } from "./filter.ts";
import { listFilters } from "./filters-list.ts";
import { numberFilters } from "./filters-number.ts";
import { textFilters } from "./filters-text.ts";
import { isEmpty, truthy } from "./liquid-value.ts";

/** All filters a text may use. None reads a clock, draws a random number or calls a function of the data. */
export const filters: Readonly<Record<string, Filter>> = {
  ...textFilters,
  ...numberFilters,
  ...listFilters,
  date: dateFilter,
  default: {
    takes: [0, 1],
    named: "allow_false",
    run: (input, [instead, allowFalse]) => {
      if (input === false && truthy(allowFalse)) return input;
      return !truthy(input) || isEmpty(input) ? instead : input;
    },
  },
};
