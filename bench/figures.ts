/** The middle one of an odd number of values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** The value below which the share `q` of them lies (nearest rank). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** Rounded to so many decimals. */
export function round(value: number, decimals = 0): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/** Reads `--name value` or `--name=value` as a number. */
export function numberArgument(argv: readonly string[], name: string): number | undefined {
  const at = argv.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  if (at < 0) return undefined;
  const text = argv[at]?.split("=")[1] ?? argv[at + 1];
  const value = Number(text);
  if (text === undefined || !(value > 0)) throw new Error(`--${name} needs a number above 0`);
  return value;
}
