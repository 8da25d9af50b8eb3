-- A conversation may hold messages of several channels: each message says which, and the customer's address there.
alter table messages add column address text;
-- the channels beside its own, with the customer's address on each
alter table conversations add column other_channels jsonb not null default '{}';
