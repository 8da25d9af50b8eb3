import { isDeepStrictEqual } from "node:util";
import { type SettingsIndex, validateWorkflow } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Place } from "../../lanes/port.ts";
import { settingsIn } from "./settings-in.ts";

type Validation = ReturnType<typeof validateWorkflow>;

/** What a document was found to be before the lane was taken, so that a large one keeps nobody waiting. */
export interface EarlyValidation {
  readonly document: unknown;
  /** the `config_version` whose settings it was held against */
  readonly version: number;
  readonly validation: Validation;
}

/** Validates a document outside any transaction. */
export const validateEarly = (document: unknown, settings: SettingsIndex): EarlyValidation => ({
  document,
  version: settings.version,
  validation: validateWorkflow(document, settings),
});

/** The validation of a document in a transaction that holds the lane: the early one where nothing has changed since. */
export async function validationIn(
  tx: PoolClient,
  place: Place,
  document: unknown,
  early: EarlyValidation | null,
): Promise<Validation> {
  if (early !== null && isDeepStrictEqual(early.document, document)) {
    const { rows } = await tx.query<{ config_version: number }>(
      "select config_version from organizations where lane = $1 and organization = $2",
      [place.lane, place.organization],
    );
    if (rows[0]?.config_version === early.version) return early.validation;
  }
  return validateWorkflow(document, await settingsIn(tx, place));
}
