import type { Frame } from "./liquid-value.ts";

/** One filter: how many values it takes (least, most), the name of a named one if any, and what it does. */
export interface Filter {
  readonly takes: readonly [least: number, most: number];
  readonly named?: string;
  readonly run: (input: unknown, args: readonly unknown[], frame: Frame) => unknown;
}
