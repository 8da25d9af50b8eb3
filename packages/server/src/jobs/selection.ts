import { type Filter, IdSchema, type Json, readFilter, refuse, type Refusal } from "@threadmill/core";
import { firstIdLater } from "./asked.ts";
import { sql } from "kysely";
import { type Static, Type } from "typebox";
import { filterSql } from "../filters/filter.ts";
import { customersWithinReach, reachIn, withinReach } from "../rights/reach.ts";
import type { JobContext, JobPlan } from "./kind.ts";

/** What a selection is of. */
export type SelectionNoun = "conversation" | "customer";

const closed = { additionalProperties: false } as const;

/** Which things a job is about: those that somebody ticked, all of a filter, or what a user holds. */
export const SelectionSchema = Type.Union(
  [
    Type.Object({ ids: Type.Array(IdSchema, { minItems: 1, maxItems: 10_000, uniqueItems: true }) }, closed),
    Type.Object(
      {
        filter: Type.Unknown({
          description: "a condition; all that you may read and that it holds for when it is reached",
        }),
      },
      closed,
    ),
    Type.Object({ held_by: IdSchema }, { ...closed, description: "what is assigned to a user and not closed or spam" }),
  ],
  { title: "Selection" },
);
export type Selection = Static<typeof SelectionSchema>;

/** The things of one slice. */
export interface SelectedSlice {
  readonly ids: readonly string[];
}
/** How many ids lie behind, or behind which one it goes on. */
export type SelectionCursor = number | string;

type Context = JobContext;

/** Why a selection cannot be made, or null. */
export function selectionProblem(context: Context, selection: Selection, noun: SelectionNoun): Refusal | null {
  if ("filter" in selection) {
    const found = filterOf(context, selection.filter as Json, noun);
    if (!found.ok) {
      const [first] = found.problems;
      const path = `/parameters/selection/filter${first?.path ?? ""}`;
      return refuse("invalid", "filter_invalid", first?.message ?? "The filter has mistakes", path);
    }
  }
  if ("held_by" in selection && context.settings.user(selection.held_by) === null)
    return refuse("not_found", "user_not_found", "There is no such user", "/parameters/selection/held_by");
  return null;
}

/**
 * The next things of a selection. Whatever changes meanwhile, each is reached once: ids are gone through in their order,
 * from those that there were when the job was asked for; that is also what `now` means in a filter.
 */
export async function nextOfSelection(
  context: Context,
  selection: Selection,
  noun: SelectionNoun,
  cursor: SelectionCursor | null,
): Promise<JobPlan<SelectionCursor, SelectedSlice> | null> {
  const { sliceItems } = context;
  if ("ids" in selection) {
    const from = Number(cursor ?? 0);
    const some = selection.ids.slice(from, from + sliceItems);
    return some.length === 0 ? null : { plan: { ids: some }, cursor: from + some.length };
  }
  const after = cursor === null ? sql`` : sql` and t.id > ${String(cursor)}::uuid`;
  const { rows } = await sql<{ id: string }>`select t.id ${within(context, selection, noun)}${after}
order by t.id limit ${sliceItems}`.execute(context.db);
  const ids = rows.map(({ id }) => id);
  const last = ids.at(-1);
  return last === undefined ? null : { plan: { ids }, cursor: last };
}

const countedAtMost = 100_000;

/** How many things a selection holds just now; null where there are more than are worth counting. */
export async function sizeOfSelection(
  context: Context,
  selection: Selection,
  noun: SelectionNoun,
): Promise<number | null> {
  if ("ids" in selection) return selection.ids.length;
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from (
  select ${within(context, selection, noun)} limit ${countedAtMost + 1}) as found`.execute(context.db);
  const n = rows[0]?.n ?? 0;
  return n > countedAtMost ? null : n;
}

function filterOf({ settings, actor, askedAt }: Context, filter: Json, noun: SelectionNoun) {
  return readFilter(filter, { subject: noun, settings, at: askedAt, user: actor.kind === "user" ? actor.id : null });
}

function within(context: Context, selection: Exclude<Selection, { ids: unknown }>, noun: SelectionNoun) {
  const { place, settings, actor, askedAt } = context;
  const permission = noun === "conversation" ? "conversations.read" : "customers.read";
  const reach = reachIn(settings, actor, permission);
  const table = noun === "conversation" ? sql`conversations` : sql`customers`;
  const readable = noun === "conversation" ? withinReach(reach, "t") : customersWithinReach(reach, "t");
  return sql`from ${table} t where t.lane = ${place.lane} and t.organization = ${place.organization}
  and t.merged_into is null and t.id < ${firstIdLater(askedAt)}::uuid and ${readable} and ${chosen(context, selection, noun)}`;
}

function chosen(context: Context, selection: Exclude<Selection, { ids: unknown }>, noun: SelectionNoun) {
  if ("held_by" in selection) {
    const live = noun === "conversation" ? sql` and t.status not in ('closed', 'spam')` : sql``;
    return sql`t.assignee = ${selection.held_by}::uuid${live}`;
  }
  const found = filterOf(context, selection.filter as Json, noun);
  // what a filter names may have changed since it was asked for
  if (!found.ok) return sql`false`;
  const filter: Filter = found.filter;
  return filterSql(filter, "t").where;
}
