-- The directory: small, undistributed, found without knowing a lane. Everything else has `lane` first in its key.

create table directory_organizations (
  id uuid primary key,
  lane smallint not null,
  name text not null,
  created_at timestamptz not null default now()
);

create table directory_tokens (
  hash text primary key,                    -- sha256 of the token, hex; the token itself is never kept
  id uuid not null unique,
  organization uuid not null,
  lane smallint not null,
  user_id uuid not null,                    -- the token acts with this user's current rights
  name text not null,
  hint text not null,                       -- the first characters, for people to tell tokens apart
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index directory_tokens_by_organization on directory_tokens (organization);

create table directory_channels (
  channel uuid primary key,
  organization uuid not null,
  lane smallint not null
);

-- One row a lane. A batch locks it and does not rewrite it: an update in every batch would bloat under a held snapshot.
create table lanes (
  lane smallint primary key,
  seq_floor bigint not null default 0       -- the last sequence number of the log partitions that were dropped
);
insert into lanes (lane) select generate_series(0, 1023);
