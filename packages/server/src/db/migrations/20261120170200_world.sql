-- The world of the mill. Rows and index entries per message are what costs, so there are few: see bench/README.md.

create table customers (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  phone text,
  email text,
  external_id text,
  handles text[] not null,
  first_name text,
  last_name text,
  picture_url text,
  locale text,
  timezone text,
  zip_code text,
  subscribed boolean not null,
  unsubscribed_at timestamptz,
  assignee uuid,
  teams uuid[] not null,
  tags text[] not null,
  properties jsonb not null,
  state text not null,
  open_conversations integer not null,
  unreplied_conversations integer not null,
  merged_into uuid,
  erased_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  wake_at timestamptz,
  fired jsonb not null,
  guards jsonb,
  primary key (lane, organization, id)
) with (fillfactor = 85);
create index customers_by_wake on customers (lane, wake_at) where wake_at is not null;
create index customers_by_merge on customers (lane, organization, merged_into) where merged_into is not null;

-- Who has an address. A table of its own, so that a customer has as many as it likes and the look-up is one index.
create table addresses (
  lane smallint not null,
  organization uuid not null,
  address text not null,                    -- kind:address
  customer uuid not null,
  primary key (lane, organization, address)
);

create table conversations (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  customer uuid not null,
  mailbox uuid not null,
  channel uuid not null,
  address text not null,
  subject text,
  status text not null,
  assignee uuid,
  team uuid,
  topic text,
  tags text[] not null,
  properties jsonb not null,
  snoozed_until timestamptz,
  closed_at timestamptz,
  waiting_since timestamptz,
  last_message_at timestamptz,
  last_inbound_at timestamptz,
  last_reply_at timestamptz,
  inbound_count integer not null,
  outbound_count integer not null,
  merged_into uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  wake_at timestamptz,
  fired jsonb not null,
  guards jsonb,
  primary key (lane, organization, id)
) with (fillfactor = 85);
create index conversations_by_customer on conversations (lane, organization, customer, id);
create index conversations_by_wake on conversations (lane, wake_at) where wake_at is not null;

create table messages (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  conversation uuid not null,
  customer uuid not null,
  channel uuid not null,
  direction text not null,
  author uuid,
  text text not null,
  media jsonb not null,
  tags text[] not null,
  automated boolean not null,
  provider_id text,
  delivery text not null,
  delivery_error text,
  seq bigint not null,                      -- the log's number of the event that made it: the order within a conversation
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (lane, organization, id)
);
create index messages_by_conversation on messages (lane, organization, conversation, seq);
-- not unique: a provider may hand one id out for two attempts
create index messages_by_provider on messages (lane, organization, channel, provider_id) where provider_id is not null;

-- How many open conversations a user holds, for assignment by least load.
create table loads (
  lane smallint not null,
  organization uuid not null,
  user_id uuid not null,
  open integer not null,
  primary key (lane, organization, user_id)
);

create table presences (
  lane smallint not null,
  organization uuid not null,
  user_id uuid not null,
  status text not null,
  since timestamptz not null,
  primary key (lane, organization, user_id)
);

-- Live runs only; a finished run moves to runs_history.
create table runs (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  workflow uuid not null,
  version uuid not null,
  subject_kind text not null,
  subject uuid not null,
  customer uuid,
  conversation uuid,
  message uuid,
  status text not null,
  reason jsonb,
  root text not null,
  trigger jsonb not null,
  actor jsonb not null,
  depth integer not null,
  cursor text,
  waits integer not null,
  waiting jsonb,
  inputs jsonb not null,
  outputs jsonb,
  steps jsonb not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  primary key (lane, organization, id)
);
create index runs_by_subject on runs (lane, organization, subject);
create index runs_by_workflow on runs (lane, organization, workflow);

create table runs_history (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  workflow uuid not null,
  version uuid not null,
  subject_kind text not null,
  subject uuid not null,
  customer uuid,
  conversation uuid,
  message uuid,
  status text not null,
  reason json,
  root text not null,
  trigger json not null,
  actor json not null,
  depth integer not null,
  cursor text,
  waits integer not null,
  waiting json,
  inputs json not null,
  outputs json,
  steps json not null,                      -- json, not json: written once, read rarely, and cheaper to store as it is
  started_at timestamptz not null,
  finished_at timestamptz not null,
  primary key (lane, organization, id, finished_at)
) partition by range (finished_at);
create index runs_history_by_subject on runs_history (lane, organization, subject, id);

create table timers (
  lane smallint not null,
  organization uuid not null,
  run uuid not null,
  wait integer not null,
  due_at timestamptz not null,
  primary key (lane, organization, run)
);
create index timers_by_due on timers (lane, due_at);

create table effects (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  kind text not null,
  order_key text not null,
  key text not null,
  payload jsonb not null,
  run uuid,
  refs jsonb not null,
  status text not null default 'due',       -- due, dead
  due_at timestamptz not null,
  attempt integer not null,
  lease_until timestamptz,
  last_error jsonb,
  ordinal bigint not null,                  -- orders the effects of one instant
  created_at timestamptz not null,
  primary key (lane, organization, id)
) with (fillfactor = 70);
create index effects_by_order on effects (lane, organization, order_key, created_at, ordinal);
create index effects_by_due on effects (lane, due_at) where status = 'due';

-- What the recorder provider was given instead of sending it.
create table recorded_deliveries (
  lane smallint not null,
  organization uuid not null,
  key text not null,
  message uuid not null,
  channel uuid not null,
  recipient text not null,
  text text not null,
  media jsonb not null,
  recorded_at timestamptz not null,
  primary key (lane, organization, key)
);

-- One receipt a command, kept a day or two: partitions are dropped.
create table receipts (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  key text,
  answer json not null,
  at timestamptz not null,
  primary key (lane, organization, id, at)
) partition by range (at);
create index receipts_by_key on receipts (lane, organization, key) where key is not null;

-- What a slice cut short: item zero of the organization's next batch.
create table leftovers (
  lane smallint not null,
  organization uuid not null,
  body jsonb not null,
  at timestamptz not null,
  primary key (lane, organization)
);

-- The log: one row holds the consecutive events that one item left about one customer. `seq` numbers its first event.
create table log (
  lane smallint not null,
  seq bigint not null,
  at timestamptz not null,
  organization uuid not null,
  root text not null,
  customer uuid,
  count integer not null,
  events json not null,                     -- see lanes/log-format.ts
  primary key (lane, seq, at)
) partition by range (at);
create index log_by_customer on log (lane, organization, customer, seq);

-- Items that no batch could carry, kept with their context for a person.
create table parked (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  item jsonb not null,
  error jsonb not null,
  at timestamptz not null,
  resolved_at timestamptz,
  primary key (lane, organization, id)
);
