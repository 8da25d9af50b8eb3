-- concurrently
create index listings_by_waiting on listings (lane, organization, waiting_since, id) where waiting_since is not null;
