-- Saved filters over customers.
create table segments (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  description text,
  filter jsonb not null,
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  changed_in bigint not null default 0,
  primary key (lane, organization, id)
);
create unique index segments_by_slug on segments (lane, organization, slug) where archived_at is null;
create trigger segments_marked before insert or update on segments for each row execute function mark_settings_change();
