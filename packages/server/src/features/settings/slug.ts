import type { PoolClient } from "pg";
import type { Place } from "../../lanes/port.ts";

/** The short name that a name suggests: "Büro Süd!" gives "buro-sud". Of a name without a usable letter, `fallback`. */
export function slugOf(name: string, fallback: string): string {
  const slug = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replace(/^-+|-+$/g, "");
  return slug === "" ? fallback : slug;
}

/** A short name that nothing live in the table has: the wished one, or that with a number. Call it with the lane held. */
export async function freeSlug(
  tx: PoolClient,
  table: string,
  { lane, organization }: Place,
  wished: string,
): Promise<string> {
  const { rows } = await tx.query<{ slug: string }>(
    `select slug from ${table} where lane = $1 and organization = $2 and archived_at is null and starts_with(slug, $3)`,
    [lane, organization, wished],
  );
  const taken = new Set(rows.map((row) => row.slug));
  for (let n = 1; ; n++) {
    const slug = n === 1 ? wished : `${wished}-${n}`;
    if (!taken.has(slug)) return slug;
  }
}
