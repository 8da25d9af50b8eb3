-- Roles of an organization's own, mailboxes that keep to their members, tokens with a part of their user's rights, and owners.

create table roles (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  rights jsonb not null,                    -- by permission, how far it reaches
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  changed_in bigint not null default 0,
  primary key (lane, organization, id)
);
create unique index roles_by_slug on roles (lane, organization, slug) where archived_at is null;
create index roles_by_change on roles (lane, organization, changed_in);
create trigger roles_marked before insert or update on roles for each row execute function mark_settings_change();

alter table mailboxes add column access text not null default 'everyone';
alter table mailboxes add column users uuid[] not null default '{}';
alter table mailboxes add column teams uuid[] not null default '{}';

alter table directory_tokens add column scopes text[];   -- null: all that its user may

-- Whoever has run an organization for longest owns it from now on.
update users u set role = 'owner' from (
  select distinct on (lane, organization) lane, organization, id from users
  where role = 'admin' and kind = 'person' and archived_at is null order by lane, organization, created_at, id
) first
where u.lane = first.lane and u.organization = first.organization and u.id = first.id;
update organizations set config_version = config_version + 1;
