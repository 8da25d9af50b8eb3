import type { Pool } from "pg";
import type { Attempt, Delivery, Provider } from "../provider.ts";

/** Keeps what would be sent: as many at once as are given, with one statement. */
export function recorderProvider(pool: Pool): Provider {
  async function deliverAll(deliveries: readonly Delivery[]): Promise<readonly Attempt[]> {
    const column = (value: (delivery: Delivery) => unknown): unknown[] => deliveries.map(value);
    await pool.query({
      name: "record_deliveries",
      // Not waiting for the disk here loses nothing: the batch that settles the delivery does, and the log of the
      // database is written in order, so that batch is durable only when this is.
      text: `with soon as (select set_config('synchronous_commit', 'off', true))
insert into recorded_deliveries (lane, organization, key, message, channel, recipient, text, media, extras, recorded_at)
select d.*, clock_timestamp() from soon, unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[],
  $7::text[], $8::jsonb[], $9::jsonb[]) d on conflict do nothing`,
      values: [
        column(({ channel }) => channel.lane),
        column(({ channel }) => channel.organization),
        column(({ key }) => key),
        column(({ message }) => message),
        column(({ channel }) => channel.id),
        column(({ to }) => to),
        column(({ text }) => text),
        column(({ media }) => JSON.stringify(media)),
        column(extrasOf),
      ],
    });
    return deliveries.map(({ key }) => ({ status: "done", output: { provider_id: `rec_${key}` } }));
  }
  return {
    deliver: async (delivery) => (await deliverAll([delivery]))[0] as Attempt,
    deliverAll,
  };
}

/** What a message has beside text and media, as JSON; null when nothing. */
function extrasOf({ subject, html, headers, attachments, thread }: Delivery): string | null {
  const json = JSON.stringify({ subject, html, headers, attachments, thread });
  return json === "{}" ? null : json;
}
