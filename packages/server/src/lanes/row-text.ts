import { type WorldTable, worldTables } from "./tables.ts";

/** All but what JSON must escape: controls, quotes, backslashes, and surrogates, of which half a pair is no Unicode. */
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

function textOf(value: unknown): string {
  if (typeof value === "string") return special.test(value) ? JSON.stringify(value) : `"${value}"`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return Array.isArray(value) && value.length === 0 ? "[]" : JSON.stringify(value);
}

/** Puts rows of one table into words. */
export type RowText = (organization: string, row: Readonly<Record<string, unknown>>) => string;

/**
 * A row as JSON text for the set-based statements, without its nulls, which are what a missing field means. Column by
 * column, because JSON.stringify of rows put together field by field was the largest single cost of a batch in this process, and
 * this takes two thirds of it.
 */
function rowText(table: WorldTable): RowText {
  const columns = Object.keys(table.columns).map((name) => ({ name, lead: `,${JSON.stringify(name)}:` }));
  return (organization, row) => {
    let text = `{"organization":"${organization}"`;
    for (const { name, lead } of columns) {
      const value = row[name];
      if (value !== null && value !== undefined) text += lead + textOf(value);
    }
    return `${text}}`;
  };
}

/** The writers of all tables, made once. */
export const rowTexts = Object.fromEntries(
  Object.entries(worldTables).map(([name, table]) => [name, rowText(table)]),
) as Readonly<Record<keyof typeof worldTables, RowText>>;
