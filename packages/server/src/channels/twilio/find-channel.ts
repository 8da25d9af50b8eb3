import type { Pool } from "pg";
import { channelSecretContext } from "../../features/channels/secret.ts";
import type { AppPorts } from "../../http/ports.ts";
import { ttlCache, type TtlCache } from "../../http/ttl-cache.ts";
import type { Place } from "../../lanes/port.ts";

/** What a webhook needs to know of its channel. */
export interface WebhookChannel {
  readonly place: Place;
  readonly id: string;
  /** null: nothing that comes in can be believed */
  readonly authToken: string | null;
}

const rememberMs = 5000;
const mostRemembered = 10_000;

/** Finds channels by id alone, for a webhook says nothing of its organization; remembered for a few seconds. */
export function channelFinder({
  pool,
  secretBox,
  clock,
}: Pick<AppPorts, "pool" | "secretBox" | "clock">): TtlCache<WebhookChannel | null> {
  return ttlCache({
    load: async (id) => {
      const row = await read(pool, id);
      if (row === null) return null;
      const { lane, organization, provider_secret } = row;
      const opened =
        provider_secret === null ? null : secretBox.open(provider_secret, channelSecretContext(organization, id));
      // a fault of the house, not of the caller: the key that sealed it is gone
      if (opened !== null && !opened.ok)
        throw new Error(`The secret of channel ${id} cannot be opened: ${opened.code}`);
      return { place: { lane, organization }, id, authToken: opened?.text ?? null };
    },
    ttlMs: rememberMs,
    most: mostRemembered,
    nowMs: () => Date.parse(clock.now()),
  });
}

interface ChannelRow {
  readonly lane: number;
  readonly organization: string;
  readonly provider_secret: string | null;
}

/** Two reads, for the directory and the lanes may one day live on different machines. */
async function read(pool: Pool, id: string): Promise<ChannelRow | null> {
  const directory = await pool.query<{ lane: number; organization: string }>(
    "select lane, organization from directory_channels where channel = $1",
    [id],
  );
  const [where] = directory.rows;
  if (where === undefined) return null;
  const { rows } = await pool.query<{ provider_secret: string | null }>(
    "select provider_secret from channels where lane = $1 and organization = $2 and id = $3 and kind in ('sms', 'whatsapp', 'messenger')",
    [where.lane, where.organization, id],
  );
  const [row] = rows;
  return row === undefined ? null : { ...where, provider_secret: row.provider_secret };
}
