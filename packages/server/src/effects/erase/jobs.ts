import { removeExports } from "../../jobs/files.ts";
import type { Sweep } from "./sweep.ts";

/** Fewer digits would be found in anybody's row. */
const digitsAtLeast = 7;

/**
 * Takes away what jobs keep of the customer: the words of rows that an import was refused and that name one of the
 * addresses, in whatever writing, and every file that was exported before, since any of them may hold the customer.
 */
export async function dropFromJobs({ lane, organization, customer, addresses, aside }: Sweep): Promise<void> {
  const bare = [...addresses].map((each) => each.slice(each.indexOf(":") + 1)).filter((each) => each !== "");
  const digits = bare.map((each) => each.replaceAll(/\D/g, "")).filter((each) => each.length >= digitsAtLeast);
  await aside(async (pool) => {
    await pool.query(
      `update job_refusals set detail = null, message = '' where lane = $1 and organization = $2 and (item = $3
  or exists (select from unnest($4::text[]) a where position(lower(a) in lower(detail::text)) > 0)
  or exists (select from unnest($5::text[]) d where position(d in regexp_replace(detail::text, '\\D', '', 'g')) > 0
    or (length(d) > 10 and position(right(d, 10) in regexp_replace(detail::text, '\\D', '', 'g')) > 0)))`,
      [lane, organization, customer, bare, digits],
    );
    await removeExports(pool, { lane, organization });
  });
}
