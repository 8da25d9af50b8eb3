-- Who is there, and how much they are given.

alter table users add column capacity integer;       -- open conversations given to them at most; null: as many as come
alter table users add column hours uuid;             -- the calendar by which they are online; null: their open pages say it
alter table teams add column lead uuid;

alter table presences add column chosen text;        -- what they said by hand, until it is taken back
alter table presences add column seen text;          -- what their open pages, or working hours, show
update presences set chosen = status;                -- until now presence was told and not seen

-- Who of a team got the last conversation in turn: the next choice stays fair after a restart.
create table turns (
  lane smallint not null,
  organization uuid not null,
  team_id uuid not null,
  user_id uuid not null,
  primary key (lane, organization, team_id)
);

-- Who has pages open: a row for each process and user, renewed while the process lives. Who stands in none is gone.
create table presence_leases (
  lane smallint not null,
  organization uuid not null,
  user_id uuid not null,
  process uuid not null,
  until timestamptz not null,
  primary key (lane, organization, user_id, process)
);
create index presence_leases_by_end on presence_leases (until);
create index users_by_hours on users (lane, organization) where hours is not null and archived_at is null;
