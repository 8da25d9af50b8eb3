-- How people see a property (label, group, order), and what its values must be beyond their type.
alter table properties
  add column label text,
  add column description text,
  add column "group" text,
  add column position integer not null default 0,
  add column rules jsonb not null default '{}';
