-- concurrently
-- What tells order keys apart comes first. An index that began as the primary key does was taken in its place wherever
-- the planner had no statistics yet, and then every look at one effect went through all of its organization's.
create index effects_by_key on effects (order_key, lane, organization, created_at, ordinal);
drop index effects_by_order;
