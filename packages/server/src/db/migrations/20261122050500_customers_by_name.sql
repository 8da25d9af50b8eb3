-- concurrently
-- Who else has this name and zip code; customers that nobody wrote a name of never enter it.
create index customers_by_name on customers (lane, organization, lower(zip_code), lower(last_name), lower(first_name))
  where zip_code is not null and last_name is not null;
