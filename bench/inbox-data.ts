import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { CreatedOrganization, Server } from "@threadmill/server";

/** How much an inbox holds. */
export interface Amount {
  readonly conversations: number;
  /** of these conversations: open, pending or snoozed */
  readonly open: number;
  readonly customers: number;
  readonly messages: number;
}

/** The size that the aims are stated for, or a part of it. */
export const amountOf = (scale: number): Amount => ({
  conversations: Math.round(1_000_000 * scale),
  open: Math.round(20_000 * scale),
  customers: Math.round(1_000_000 * scale),
  messages: Math.round(5_000_000 * scale),
});

/** Ids as the program makes them: by time, so that indexes grow where the program's would. */
const ids = `create or replace function pg_temp.v7(at timestamptz, n bigint) returns uuid language sql immutable as $$
select (left(h, 8) || '-' || right(h, 4) || '-7' || lpad(to_hex(n & 4095), 3, '0') || '-8' || lpad(to_hex((n >> 12) & 4095), 3, '0')
  || '-' || lpad(to_hex(n), 12, '0'))::uuid from (select lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') as h) t $$`;
/** When the n-th of $1 came to be: three years, evenly. */
const born = (n: string): string => `(timestamptz '2026-11-20Z' - interval '3 years' * (1 - ${n}::float8 / $1))`;

const atOnce = 25_000;
const users = 50;
const teams = 8;
const mailboxes = 10;

/** A number under `most` that is as good as drawn by lot, the same for the same n each time. */
const lot = (n: string, most: number, salt: number): string => `(abs(hashint8(${n} * 31 + ${salt})::bigint) % ${most})`;
/** Fills an organization by SQL, as the program would have left it, and brings what follows the log up to date. */
export async function fillInbox(
  server: Server,
  { id, lane, channels }: CreatedOrganization,
  amount: Amount,
  say: (text: string) => void,
): Promise<void> {
  const client = await server.database.pool.connect();
  /** In slices, of which each ends well before a statement is given up. */
  const run = async (what: string, text: string, values: readonly [number, ...unknown[]]): Promise<void> => {
    const started = performance.now();
    for (let first = 1; first <= values[0]; first += atOnce) {
      const last = Math.min(values[0], first + atOnce - 1);
      await client.query(text.replace("NUMBERS", `generate_series(${first}::bigint, ${last}::bigint)`), [...values]);
    }
    say(`${values[0]} ${what} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  };
  try {
    await client.query("set synchronous_commit = off");
    await client.query("set statement_timeout = 0");
    await client.query(ids);
    await client.query(
      `insert into users (lane, organization, id, kind, role, name)
select $1, $2, pg_temp.v7(now(), 1000 + n), 'person', 'agent', 'Agent ' || n from generate_series(1, $3::int) n`,
      [lane, id, users],
    );
    await client.query(
      `insert into teams (lane, organization, id, slug, name, members)
select $1, $2, pg_temp.v7(now(), 2000 + n), 'team-' || n, 'Team ' || n,
  (select array_agg(u.id) from users u where u.organization = $2 and u.name <> 'Workflow') from generate_series(1, $3::int) n`,
      [lane, id, teams],
    );
    await client.query(
      `insert into mailboxes (lane, organization, id, slug, name)
select $1, $2, pg_temp.v7(now(), 3000 + n), 'box-' || n, 'Box ' || n from generate_series(2, $3::int) n`,
      [lane, id, mailboxes],
    );
    await client.query("update organizations set config_version = config_version + 1 where organization = $1", [id]);
    await run(
      "customers",
      `insert into customers (lane, organization, id, phone, handles, first_name, last_name, subscribed, teams, tags, properties,
  state, open_conversations, unreplied_conversations, created_at, updated_at, fired)
select $2, $3, pg_temp.v7(${born("n")}, n), '+1555' || lpad(n::text, 8, '0'), '{}', 'First' || ${lot("n", 5000, 1)}, 'Last' || ${lot("n", 50_000, 2)},
  true, '{}', case when ${lot("n", 50, 3)} = 0 then '{vip}'::text[] else '{}' end,
  jsonb_build_object('plan', (array['free', 'pro', 'team'])[1 + ${lot("n", 3, 4)}]), 'closed', 0, 0, ${born("n")}, ${born("n")}, '{}'
from NUMBERS n`,
      [amount.customers, lane, id],
    );
    await run(
      "conversations",
      `with c as materialized (
  select n, least(n, $5) as customer, ${born("n")} as at, n > $1 - 2 * $4 and n % 2 = 0 as in_use,
    (array['open','open','open','open','open','open','open','pending','pending','snoozed'])[1 + ${lot("n", 10, 5)}] as use
  from NUMBERS n),
u as materialized (select array(select id from users where organization = $3 and name like 'Agent %' order by id) as users,
  array(select id from teams where organization = $3 order by id) as teams, array(select id from mailboxes where organization = $3 order by id) as boxes)
insert into conversations (lane, organization, id, customer, mailbox, channel, address, subject, status, assignee, team, topic, tags,
  properties, other_channels, closed_at, waiting_since, last_message_at, last_inbound_at, inbound_count, outbound_count, created_at, updated_at, fired)
select $2, $3, pg_temp.v7(at, n), pg_temp.v7(timestamptz '2026-11-20Z' - interval '3 years' * (1 - customer::float8 / $5), customer),
  u.boxes[1 + ${lot("n", mailboxes, 6)}], $6, '+1555' || lpad(n::text, 8, '0'), 'Order ' || n,
  case when in_use then use when ${lot("n", 100, 7)} = 0 then 'spam' else 'closed' end,
  case when ${lot("n", 10, 8)} < 7 then u.users[1 + ${lot("n", users, 9)}] end,
  case when ${lot("n", 10, 10)} < 6 then u.teams[1 + ${lot("n", teams, 11)}] end, null,
  case when ${lot("n", 5, 12)} = 0 then '{Refund}'::text[] else '{}' end || case when ${lot("n", 100, 13)} = 0 then '{vip}'::text[] else '{}' end
    || case when ${lot("n", 10_000, 14)} = 0 then '{lawsuit}'::text[] else '{}' end || ('topic ' || ${lot("n", 1000, 15)}),
  jsonb_build_object('amount', ${lot("n", 1000, 16)}), '{}', case when in_use then null else at + interval '2 days' end,
  case when in_use and ${lot("n", 10, 17)} < 6 then at + interval '1 day' end, at + interval '1 day', at + interval '1 day', 3, 2, at, at, '{}'
from c, u`,
      [amount.conversations, lane, id, amount.open, amount.customers, channels.sms],
    );
    await run(
      "messages",
      `with m as materialized (select n, 1 + (n - 1) / ceil($1::float8 / $4)::bigint as talk from NUMBERS n)
insert into messages (lane, organization, id, conversation, customer, channel, direction, text, media, tags, automated, delivery, seq, created_at, updated_at)
select $2, $3, pg_temp.v7(at, n), pg_temp.v7(at, talk), pg_temp.v7(at, talk), $5, case when n % 5 < 3 then 'inbound' else 'outbound' end,
  'Message ' || n || ' about ' || (array['a refund', 'an invoice', 'delivery', 'the colour', 'nothing much'])[1 + ${lot("n", 5, 18)}],
  '[]', '{}', false, 'none', n, at, at
from (select m.*, timestamptz '2026-11-20Z' - interval '3 years' * (1 - talk::float8 / $4) as at from m) m`,
      [amount.messages, lane, id, amount.conversations, channels.sms],
    );
    const started = performance.now();
    const fill = fileURLToPath(
      new URL("../packages/server/src/db/migrations/20261122030200_fill_listings.sql", import.meta.url),
    );
    const slice = await readFile(fill, "utf8");
    for (let cursor: string | null | undefined; cursor !== null;)
      cursor = (await client.query<{ cursor: string }>(slice, [cursor ?? null])).rows[0]?.cursor ?? null;
    say(`listings, counts and tags in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    for (const table of ["customers", "conversations", "messages", "listings", "conversation_tags", "listing_counts"])
      await client.query(`vacuum analyze ${table}`);
  } finally {
    client.release(true);
  }
}
