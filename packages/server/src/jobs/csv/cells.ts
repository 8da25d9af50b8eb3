/** What spreadsheets take for the beginning of a formula. */
const formula = /^[=+\-@\t\r]/;
/** Numbers, telephone numbers among them, are harmless and mean to be read again. */
const number = /^[+-]?[\d .()-]+$/;
const special = /[",;\t\r\n|]/;

/**
 * A value as a cell that spreadsheets show and never run: what begins a formula gets a quote before it. Nothing is an empty
 * cell, a list its parts with "; " between them, an object its JSON.
 */
export function cellOf(value: unknown): string {
  const text = textOf(value);
  const harmless = formula.test(text) && !number.test(text) ? `'${text}` : text;
  return special.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value.join("; ");
  return JSON.stringify(value);
}

/** A row of a table, with its end. */
export const lineOf = (values: readonly unknown[]): string => `${values.map(cellOf).join(",")}\r\n`;

/** The media type of tables that we write. */
export const csvType = "text/csv; charset=utf-8";
