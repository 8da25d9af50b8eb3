-- Pairs of customers who may be one person: made by a follower of the log, and kept where somebody said that they are not.
create table duplicates (
  lane smallint not null,
  organization uuid not null,
  a uuid not null,                          -- the lower id of the two
  b uuid not null,
  reasons text[] not null,                  -- phone, email, name
  found_at timestamptz not null,
  dismissed_at timestamptz,
  dismissed_by uuid,
  primary key (lane, organization, a, b)
);
create index duplicates_by_other on duplicates (lane, organization, b);
