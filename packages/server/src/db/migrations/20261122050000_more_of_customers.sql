-- Where a customer lives, whom they work for, and since when they want messages again. All null for who is there.
alter table customers
  add column city text,
  add column region text,
  add column country text,
  add column company text,
  add column subscribed_at timestamptz;
