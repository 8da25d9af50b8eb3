import { type Customer, isEverywhere, type Reach } from "@threadmill/core";
import type { Pool } from "pg";
import type { RawBuilder } from "kysely";
import type { Place } from "../lanes/port.ts";
import { asExpression, type Clause } from "./clause.ts";
import { conversationClause, withinReachText } from "./reach.ts";

type Counted = Pick<Customer, "id" | "state" | "open_conversations" | "unreplied_conversations">;

interface Row {
  readonly id: string;
  readonly open: number;
  readonly unreplied: number;
}

/**
 * Customers as who has a reach may know them: what is counted of their conversations, and the state that follows from it,
 * speak of those within reach alone. With those of customers who were merged into them.
 */
export async function customersSeen<C extends Counted>(
  db: Pick<Pool, "query">,
  { lane, organization }: Place,
  reach: Reach,
  customers: readonly C[],
): Promise<readonly C[]> {
  if (isEverywhere(reach) || customers.length === 0) return customers;
  const values: unknown[] = [lane, organization, customers.map(({ id }) => id)];
  const { rows } = await db.query<Row>(
    `with recursive family as (
  select id as head, id from customers where lane = $1 and organization = $2 and id = any($3)
  union all
  select family.head, c.id from family join customers c on c.lane = $1 and c.organization = $2 and c.merged_into = family.id)
select family.head as id, count(*) as open, count(*) filter (where v.waiting_since is not null) as unreplied
from family join conversations v on v.lane = $1 and v.organization = $2 and v.customer = family.id
where v.status in ('open', 'pending', 'snoozed')${withinReachText(reach, values, "v")} group by family.head`,
    values,
  );
  const counts = new Map(rows.map((row) => [row.id, row]));
  return customers.map((customer) => {
    const { open, unreplied } = counts.get(customer.id) ?? { open: 0, unreplied: 0 };
    const state = open === 0 ? "closed" : unreplied > 0 ? "unreplied" : "replied";
    return { ...customer, open_conversations: open, unreplied_conversations: unreplied, state };
  });
}

/** The condition that a customer has a state, as who has a reach may know it. */
export function stateSeen(state: Customer["state"], reach: Reach): RawBuilder<boolean> {
  const some = (more: string): Clause => [
    `exists (select 1 from conversations v where v.lane = customers.lane and v.organization = customers.organization and v.customer = customers.id and v.status in ('open', 'pending', 'snoozed')${more} and `,
    ...conversationClause(reach, "v"),
    ")",
  ];
  const waiting = some(" and v.waiting_since is not null");
  if (state === "unreplied") return asExpression(waiting);
  return asExpression(state === "closed" ? ["not ", ...some("")] : [...some(""), " and not ", ...waiting]);
}
