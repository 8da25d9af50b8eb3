import { type Filter, type Json, readFilter, refuse, type SettingsIndex } from "@threadmill/core";
import type { Pool } from "pg";
import type { Refused } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";

/** What a filter is read with: the settings and the instant of now, and who looks. */
export interface FilterContext {
  readonly settings: SettingsIndex;
  readonly at: string;
  readonly user: string | null;
}

/** Reads a condition as a filter over customers, or says what is wrong with it. */
export function customerFilter(condition: Json, context: FilterContext): Filter | Refused {
  const read = readFilter(condition, { subject: "customer", ...context });
  if (read.ok) return read.filter;
  const problems = read.problems.map(({ code, path, message }) => ({ code, path: `/filter${path}`, message }));
  return { ...refuse("invalid", "filter_invalid", problems[0]?.message ?? "The filter is wrong", "/filter"), problems };
}

/**
 * The filter that a segment is, by its id or short name: whoever campaigns, exports and lists mean by it now. A setting
 * that it names may be gone since it was saved: then it is refused, and finds nobody.
 */
export async function segmentFilter(
  pool: Pick<Pool, "query">,
  { lane, organization }: Place,
  segment: string,
  context: FilterContext,
): Promise<Filter | Refused> {
  const { rows } = await pool.query<{ filter: Json }>(
    "select filter from segments where lane = $1 and organization = $2 and (id::text = $3 or slug = $3) and archived_at is null",
    [lane, organization, segment],
  );
  const [row] = rows;
  return row === undefined
    ? refuse("invalid", "segment_not_found", "There is no such segment", "/segment")
    : // an audience is the same whoever looks
      customerFilter(row.filter, { ...context, user: null });
}

/** A filter that a query carries as JSON text, a segment that it names, or both; empty where there is neither. */
export async function askedFilters(
  pool: Pick<Pool, "query">,
  place: Place,
  { filter, segment }: { readonly filter?: string; readonly segment?: string },
  context: () => Promise<FilterContext>,
): Promise<readonly Filter[] | Refused> {
  const found: Filter[] = [];
  if (filter !== undefined) {
    const condition = jsonOf(filter);
    if (condition === undefined) return refuse("invalid", "filter_invalid", "The filter is no JSON", "/filter");
    const read = customerFilter(condition, await context());
    if ("ok" in read) return read;
    found.push(read);
  }
  if (segment !== undefined) {
    const read = await segmentFilter(pool, place, segment, await context());
    if ("ok" in read) return read;
    found.push(read);
  }
  return found;
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
