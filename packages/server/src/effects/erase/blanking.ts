import type { WorldTable } from "../../lanes/tables.ts";

/** The personal columns of a table and what they are to hold, as the marks say; `taken` parameters stand before. */
export function blanking(
  table: WorldTable,
  blanks: Readonly<Record<string, unknown>>,
  taken: number,
): { readonly set: string; readonly values: readonly unknown[] } {
  const names = Object.keys(blanks);
  const typeOf = (name: string): string => table.columns[name] as string;
  return {
    set: names.map((name, index) => `"${name}" = $${taken + 1 + index}::${typeOf(name)}`).join(", "),
    values: names.map((name) => (typeOf(name) === "jsonb" ? JSON.stringify(blanks[name]) : blanks[name])),
  };
}
