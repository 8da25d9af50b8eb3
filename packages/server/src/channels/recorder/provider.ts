import type { Pool } from "pg";
import type { Provider } from "../../effects/provider.ts";

/** The default provider: keeps what would be sent, for people and tests to see. Nothing leaves the house. */
export function recorderProvider(pool: Pool): Provider {
  return {
    name: "recorder",
    idempotent: true,
    async deliver({ key, message, channel, to, text, media }) {
      await pool.query({
        name: "record_delivery",
        text: `insert into recorded_deliveries (lane, organization, key, message, channel, recipient, text, media, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp()) on conflict do nothing`,
        values: [channel.lane, channel.organization, key, message, channel.id, to, text, JSON.stringify(media)],
      });
      return { status: "done", output: { provider_id: `rec_${key}` } };
    },
  };
}
