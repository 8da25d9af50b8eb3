import { type Filter, type Reach, refuse } from "@threadmill/core";
import { type Kysely, sql } from "kysely";
import { systemCode } from "../../db/fault.ts";
import { filterSql } from "../../filters/filter.ts";
import type { Refused } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { customersWithinReach } from "../../rights/reach.ts";
import type { Tables } from "../tables.ts";

/** Whoever waits for a number does not wait longer, and no connection of the pool is taken up for longer. */
const patienceSeconds = 20;

/** How many there are, and how they were found. */
interface CustomerCount {
  readonly customers: number;
  readonly undecided: number;
  readonly found_by: string;
}

const everybody = { sentence: "Every customer is counted" };

/** How many customers there are for whom all filters hold, and for how many one of them cannot be decided. */
export async function countCustomers(
  db: Kysely<Tables>,
  { lane, organization }: Place,
  filters: readonly Filter[],
  reach: Reach,
): Promise<CustomerCount | Refused> {
  const said = filters.map((filter) => filterSql(filter));
  const all = said.map(({ where }) => sql<boolean>`(${where})`);
  const open = said.flatMap(({ undecided }) => (undecided === null ? [] : [sql<boolean>`(${undecided})`]));
  const holds = all.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(all, sql` and `)}`;
  const undecided = open.length === 0 ? sql<boolean>`false` : sql<boolean>`${sql.join(open, sql` or `)}`;
  try {
    const counted = await db.transaction().execute(async (tx) => {
      await sql`set local statement_timeout = ${sql.lit(`${patienceSeconds}s`)}`.execute(tx);
      return tx
        .selectFrom("customers")
        .select([
          sql<number>`count(*) filter (where ${holds})`.as("customers"),
          sql<number>`count(*) filter (where ${undecided})`.as("undecided"),
        ])
        .where("lane", "=", lane)
        .where("organization", "=", organization)
        .where("merged_into", "is", null)
        .where("erased_at", "is", null)
        .where(customersWithinReach(reach))
        .executeTakeFirstOrThrow();
    });
    const { sentence } = (said.find(({ index }) => index.index !== null) ?? said[0])?.index ?? everybody;
    return { ...counted, found_by: sentence };
  } catch (error) {
    if (systemCode(error) !== "57014") throw error;
    return refuse("limited", "count_takes_too_long", `The customers were not counted within ${patienceSeconds} s`);
  }
}
