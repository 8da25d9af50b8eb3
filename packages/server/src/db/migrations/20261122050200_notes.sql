-- Notes on customers; those of conversations are messages.
create table notes (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  customer uuid not null,
  author uuid,
  text text not null,
  automated boolean not null,
  edited_at timestamptz,
  removed_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (lane, organization, id)
);
create index notes_by_customer on notes (lane, organization, customer, id);
