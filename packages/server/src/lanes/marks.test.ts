import { nouns } from "@threadmill/core";
import { expect, test } from "vitest";
import { createTestDatabase, onServer } from "../testing/test-database.ts";

/** What tells a row's place says nothing by itself. */
const places = new Set(["lane", "organization"]);

test("every column of every table carries a mark in its noun's schema, or erasing would not know it", async () => {
  await using database = await createTestDatabase();
  const columns = await onServer(database.url, async (client) => {
    const { rows } = await client.query<{ table: string; column: string }>(
      `select c.relname as table, a.attname as column from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  and a.attnum > 0 and not a.attisdropped and c.relname <> 'schema_migrations'`,
    );
    return rows;
  });
  expect(columns.length).toBeGreaterThan(200);
  const known = (table: string): object =>
    Object.hasOwn(nouns, table) ? nouns[table as keyof typeof nouns].properties : {};
  expect(columns.filter(({ table, column }) => !places.has(column) && !Object.hasOwn(known(table), column))).toEqual(
    [],
  );
});
