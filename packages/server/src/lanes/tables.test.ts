import { loggedTables, rowDefaults, rowTables } from "@threadmill/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testLanes, type TestLanes } from "./test-lanes.ts";
import { type WorldTableName, worldTables } from "./tables.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

/** What others than the mill note in its tables. */
const notTheMills: Partial<Record<WorldTableName, readonly string[]>> = { effects: ["begun"] };

const names = Object.keys(worldTables) as WorldTableName[];

test.each(names)("%s has the columns and types that the migrations give it", async (name) => {
  const found = await lanes.rows<{ column: string; type: string }>(
    `select attname as column, format_type(atttypid, atttypmod) as type from pg_attribute
where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname not in ('lane', 'organization') order by attname`,
    [name],
  );
  const short: Record<string, string> = { "timestamp with time zone": "timestamptz" };
  const own = found.filter(({ column }) => notTheMills[name]?.includes(column) !== true);
  expect(own).toHaveLength(found.length - (notTheMills[name]?.length ?? 0));
  const migrated = Object.fromEntries(own.map(({ column, type }) => [column, short[type] ?? type]));
  expect({ ...worldTables[name].columns }).toEqual(migrated);
});

test.each(names)("%s is keyed by lane, organization and its id first", async (name) => {
  const [key] = await lanes.rows<{ columns: string[] }>(
    `select array_agg(a.attname::text order by k.n) as columns from pg_index i
cross join unnest(i.indkey) with ordinality as k(attnum, n)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = $1::regclass and i.indisprimary group by i.indexrelid`,
    [name],
  );
  expect(key?.columns.slice(0, 3)).toEqual(["lane", "organization", worldTables[name].id]);
});

test("every table that the mill writes can be written", () => {
  expect(names.filter((name) => name !== "runs_history").sort()).toEqual([...rowTables].sort());
});

test.each(loggedTables)("%s has every field that the core logs", (name) => {
  const columns = Object.keys(worldTables[name].columns);
  expect(Object.keys(rowDefaults[name]).filter((field) => !columns.includes(field))).toEqual([]);
});
