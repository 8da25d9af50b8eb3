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
        // Not waiting for the disk here loses nothing: the batch that settles the delivery does, and the log of the
        // database is written in order, so that batch is durable only when this is.
        text: `with soon as (select set_config('synchronous_commit', 'off', true))
insert into recorded_deliveries (lane, organization, key, message, channel, recipient, text, media, recorded_at)
select $1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() from soon on conflict do nothing`,
        values: [channel.lane, channel.organization, key, message, channel.id, to, text, JSON.stringify(media)],
      });
      return { status: "done", output: { provider_id: `rec_${key}` } };
    },
  };
}
