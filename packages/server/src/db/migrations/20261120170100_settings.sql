-- Settings: ordinary rows, changed under the organization's lane lock together with config_version.

create table organizations (
  lane smallint not null,
  organization uuid not null,
  name text not null,
  zone text not null,
  sandbox boolean not null default false,
  automation text not null default 'on',
  limits jsonb not null,
  workflow_user uuid not null,
  config_version bigint not null default 1,
  created_at timestamptz not null default now(),
  primary key (lane, organization)
);

create table users (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  kind text not null,
  role text not null,
  name text not null,
  email text,
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  primary key (lane, organization, id)
);
create unique index users_by_email on users (lane, organization, lower(email)) where archived_at is null;

create table teams (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  members uuid[] not null default '{}',
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  primary key (lane, organization, id)
);
create unique index teams_by_slug on teams (lane, organization, slug) where archived_at is null;

create table mailboxes (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  reopen text not null default 'always',
  reopen_days integer not null default 30,
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  primary key (lane, organization, id)
);
create unique index mailboxes_by_slug on mailboxes (lane, organization, slug) where archived_at is null;

create table channels (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  kind text not null,
  mailbox uuid not null,
  address text,
  provider text not null default 'recorder',
  on_unknown text not null default 'hold',
  provider_settings jsonb not null default '{}',   -- what is no secret: account, base address
  provider_secret text,                            -- sealed with the secret key
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  primary key (lane, organization, id)
);
create unique index channels_by_slug on channels (lane, organization, slug) where archived_at is null;

create table calendars (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  calendar jsonb not null,
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  primary key (lane, organization, id)
);
create unique index calendars_by_slug on calendars (lane, organization, slug) where archived_at is null;

create table properties (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  noun text not null,
  name text not null,
  type text not null,
  options text[] not null default '{}',
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  primary key (lane, organization, id)
);
create unique index properties_by_name on properties (lane, organization, noun, name) where archived_at is null;

create table workflows (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  position integer not null default 0,      -- the `order` in which workflows of one event run
  enabled boolean not null default false,
  paused_reason text,
  draft jsonb not null,                     -- the document as it is being edited; may be invalid
  published uuid,                           -- the version that runs
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  archived_at timestamptz,
  primary key (lane, organization, id)
);
create unique index workflows_by_slug on workflows (lane, organization, slug) where archived_at is null;

create table workflow_versions (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  workflow uuid not null,
  number integer not null,
  document jsonb not null,
  hash text not null,
  publisher uuid not null,
  published_at timestamptz not null,
  due_from timestamptz not null default now(), -- its time triggers fire for what falls due from then on
  primary key (lane, organization, id)
);
create unique index workflow_versions_by_number on workflow_versions (lane, organization, workflow, number);
