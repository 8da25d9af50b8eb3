-- What is a person's own: what they have read, follow, are writing, and how they like to see lists. No settings, and
-- nothing of the mill's.

-- When a user last looked at a conversation.
create table read_marks (
  lane smallint not null,
  organization uuid not null,
  user_id uuid not null,
  conversation uuid not null,
  read_at timestamptz not null,
  primary key (lane, organization, user_id, conversation)
);
create index read_marks_by_conversation on read_marks (lane, organization, conversation);

create table follows (
  lane smallint not null,
  organization uuid not null,
  user_id uuid not null,
  conversation uuid not null,
  since timestamptz not null,
  primary key (lane, organization, user_id, conversation)
);
create index follows_by_conversation on follows (lane, organization, conversation);

-- Who is named in which note; a follower of the log writes them.
create table mentions (
  lane smallint not null,
  organization uuid not null,
  user_id uuid not null,
  message uuid not null,
  conversation uuid not null,
  at timestamptz not null,
  primary key (lane, organization, user_id, message)
);
create index mentions_by_conversation on mentions (lane, organization, conversation, user_id);

-- What a user is writing in a conversation; the version rises with each change, so that two devices see each other's.
create table drafts (
  lane smallint not null,
  organization uuid not null,
  user_id uuid not null,
  conversation uuid not null,
  kind text not null,                       -- reply, note
  version bigint not null,
  text text not null,
  extras jsonb,                             -- channel, media, mentions: whatever the sending takes besides
  updated_at timestamptz not null,
  primary key (lane, organization, user_id, conversation, kind)
);
create index drafts_by_conversation on drafts (lane, organization, conversation);

create table folders (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  owner uuid,                               -- null: shared by all
  name text not null,
  icon text,
  position integer not null,
  filter jsonb not null,                    -- a condition, as workflows have them
  only_mine text,                           -- mentioned, followed, unread: by whoever looks
  sort text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (lane, organization, id)
);

create table saved_replies (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  owner uuid,                               -- null: shared by all
  folder text,
  name text not null,
  text text not null,
  uses bigint not null default 0,
  used_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (lane, organization, id)
);
