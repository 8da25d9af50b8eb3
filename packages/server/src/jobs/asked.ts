import { firstIdAt } from "@threadmill/core";

/**
 * The first id of the millisecond behind an instant: what has a smaller one was there when a job was asked for. What came
 * to be in the very same millisecond is meant too, as it cannot be told apart.
 */
export const firstIdLater = (instant: string): string => firstIdAt(new Date(Date.parse(instant) + 1).toISOString());
