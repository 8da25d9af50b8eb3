import type { ChannelKind } from "@threadmill/core";
import type { Pool } from "pg";
import type { AppPorts } from "../http/ports.ts";
import { ttlCache, type TtlCache } from "../http/ttl-cache.ts";
import type { Place } from "../lanes/port.ts";
import type { ProviderKind, ProviderSettings } from "./provider.ts";
import type { Registry } from "./registry.ts";
import { openSecrets, type SealedSecrets } from "./secrets.ts";

/** What a callback needs to know of its channel. */
export interface CalledChannel {
  readonly place: Place;
  readonly id: string;
  /** those that are missing cannot vouch for anything; null where one that is there cannot be opened */
  readonly secrets: Readonly<Record<string, string>> | null;
}

const rememberMs = 5000;
const mostRemembered = 10_000;

/**
 * Finds a provider's channels by id alone, for a callback says nothing of its organization; remembered for a few seconds.
 */
export function channelFinder(
  { pool, secretBox, clock, log }: Pick<AppPorts, "pool" | "secretBox" | "clock" | "log">,
  registry: Registry,
  provider: ProviderKind,
): TtlCache<CalledChannel | null> {
  return ttlCache({
    load: async (id) => {
      const row = await read(pool, id);
      if (row === null || !registry.serving(row).includes(provider)) return null;
      const { lane, organization } = row;
      const secrets = openSecrets(
        secretBox,
        provider,
        { ...row, id, settings: row.provider_settings },
        row.provider_secrets,
      );
      // a fault of the house, not of the caller: the key is gone, or the row was changed behind our back
      if (secrets === null) log.error({ channel: id }, "The secrets of a channel cannot be opened: nothing comes in");
      return { place: { lane, organization }, id, secrets };
    },
    ttlMs: rememberMs,
    most: mostRemembered,
    nowMs: () => Date.parse(clock.now()),
  });
}

interface ChannelRow {
  readonly lane: number;
  readonly organization: string;
  readonly kind: ChannelKind;
  readonly provider: string;
  readonly provider_settings: ProviderSettings;
  readonly provider_secrets: SealedSecrets;
}

/** Two reads, for the directory and the lanes may one day live on different machines. */
async function read(pool: Pool, id: string): Promise<ChannelRow | null> {
  const directory = await pool.query<{ lane: number; organization: string }>(
    "select lane, organization from directory_channels where channel = $1",
    [id],
  );
  const [where] = directory.rows;
  if (where === undefined) return null;
  const { rows } = await pool.query<ChannelRow>(
    "select lane, organization, kind, provider, provider_settings, provider_secrets from channels where lane = $1 and organization = $2 and id = $3",
    [where.lane, where.organization, id],
  );
  return rows[0] ?? null;
}
