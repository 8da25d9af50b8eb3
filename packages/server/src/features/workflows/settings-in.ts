import { indexSettings, type SettingsIndex } from "@threadmill/core";
import type { PoolClient } from "pg";
import { readSettings } from "../../lanes/settings-rows.ts";
import type { Place } from "../../lanes/port.ts";

/** The settings as they stand in a transaction; no workflow is read for them. */
export async function settingsIn(tx: PoolClient, { lane, organization }: Place): Promise<SettingsIndex | null> {
  const read = await readSettings(tx, lane, organization);
  return read === null ? null : indexSettings(read.settings);
}
