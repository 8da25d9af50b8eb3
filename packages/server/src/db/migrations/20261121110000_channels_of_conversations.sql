-- A conversation may hold messages of several channels: each message says which, and the customer's address there.
alter table messages add column address text;
-- the channels beside its own, with the customer's address on each
alter table conversations add column other_channels jsonb not null default '{}';
-- what a conversation stands for, so that its history is found whole
create index conversations_by_merge on conversations (lane, organization, merged_into) where merged_into is not null;
