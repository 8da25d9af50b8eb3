import type { Pool } from "./database.ts";
import { UserError } from "./user-error.ts";

/** An organization as an operator sees it. */
export interface OrganizationRow {
  readonly id: string;
  readonly lane: number;
  readonly name: string;
}

/** The organization that is meant: by id or name, or the only one there is. Throws a `UserError`. */
export async function findOrganization(pool: Pool, wanted: string | undefined): Promise<OrganizationRow> {
  const { rows } = await pool.query<OrganizationRow>(
    "select id, lane, name from directory_organizations order by created_at, id",
  );
  const found = wanted === undefined ? rows : rows.filter(({ id, name }) => id === wanted || name === wanted);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const list = (found.length === 0 ? rows : found).map(({ id, name }) => `${id} ${name}`).join("\n  ");
  const hint =
    rows.length === 0 ? "`threadmill organization create` makes one." : `Give one with --organization:\n  ${list}`;
  if (wanted === undefined) {
    throw new UserError(
      "organization_unclear",
      rows.length === 0 ? "There is no organization yet." : "There are several organizations.",
      { hint },
    );
  }
  throw new UserError(
    "organization_not_found",
    found.length === 0 ? `There is no organization ${wanted}.` : `Several organizations are named ${wanted}.`,
    { hint },
  );
}
