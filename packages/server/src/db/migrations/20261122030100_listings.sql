-- What lists of conversations are ordered and counted by: narrow rows that a follower of the log keeps, so that ordering
-- by the last message costs a message nothing. An index on conversations.last_message_at would end the HOT updates of
-- that table, also a partial one.

create table listings (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,                         -- the conversation's
  mailbox uuid not null,
  status text not null,
  assignee uuid,
  team uuid,
  waiting_since timestamptz,
  last_inbound_at timestamptz,
  moved_at timestamptz not null,            -- its last message, or else when it began
  primary key (lane, organization, id)
) with (fillfactor = 80);
create index listings_by_move on listings (lane, organization, moved_at, id);
create index listings_open on listings (lane, organization, moved_at, id) where status in ('open', 'pending', 'snoozed');
create index listings_by_assignee on listings (lane, organization, assignee) where status in ('open', 'pending', 'snoozed');
create index listings_by_status on listings (lane, organization, status, moved_at, id) where status in ('closed', 'spam');

-- The tags of all conversations, as they compare: without their capitals.
create table conversation_tags (
  lane smallint not null,
  organization uuid not null,
  tag text not null,
  conversation uuid not null,
  primary key (lane, organization, tag, conversation)
);
create index conversation_tags_by_conversation on conversation_tags (lane, organization, conversation);

-- How many listings there are of each kind; nobody is 00000000-0000-0000-0000-000000000000.
create table listing_counts (
  lane smallint not null,
  organization uuid not null,
  mailbox uuid not null,
  status text not null,
  assignee uuid not null,
  team uuid not null,
  waiting boolean not null,
  count bigint not null,
  primary key (lane, organization, mailbox, status, assignee, team, waiting)
) with (fillfactor = 50);

-- Brings what is made of some conversations up to date with them: from their rows as they are, so that twice does no harm.
-- One at a time in a lane, as the follower's cursor is held.
create function refresh_listings(of_lane smallint, of_organization uuid, ids uuid[]) returns void language plpgsql as $$
begin
  insert into followers (lane, name, seq) values (of_lane, 'listings', 0) on conflict do nothing;
  perform from followers where lane = of_lane and name = 'listings' for update;
  with present as (
    select c.id, c.mailbox, c.status, c.assignee, c.team, c.waiting_since, c.last_inbound_at,
      coalesce(c.last_message_at, c.created_at) as moved_at
    from conversations c
    where c.lane = of_lane and c.organization = of_organization and c.id = any(ids) and c.merged_into is null
  ), past as (
    select l.id, l.mailbox, l.status, l.assignee, l.team, l.waiting_since, l.last_inbound_at, l.moved_at
    from listings l where l.lane = of_lane and l.organization = of_organization and l.id = any(ids)
  ), new as (
    select * from present except select * from past
  ), old as (
    select * from past except select * from present
  ), gone as (
    delete from listings l using old where l.lane = of_lane and l.organization = of_organization and l.id = old.id
      and not exists (select from present where present.id = old.id)
  ), written as (
    insert into listings (lane, organization, id, mailbox, status, assignee, team, waiting_since, last_inbound_at, moved_at)
    select of_lane, of_organization, new.* from new
    on conflict (lane, organization, id) do update set mailbox = excluded.mailbox, status = excluded.status,
      assignee = excluded.assignee, team = excluded.team, waiting_since = excluded.waiting_since,
      last_inbound_at = excluded.last_inbound_at, moved_at = excluded.moved_at
  ), change as (
    select mailbox, status, coalesce(assignee, '00000000-0000-0000-0000-000000000000') as assignee,
      coalesce(team, '00000000-0000-0000-0000-000000000000') as team, waiting_since is not null as waiting, sum(n) as count
    from (select *, 1 as n from new union all select *, -1 from old) as both_sides
    group by 1, 2, 3, 4, 5 having sum(n) <> 0
  )
  insert into listing_counts as t (lane, organization, mailbox, status, assignee, team, waiting, count)
  select of_lane, of_organization, change.* from change
  on conflict (lane, organization, mailbox, status, assignee, team, waiting) do update set count = t.count + excluded.count;

  with present as (
    select distinct filter_fold(tag) as tag, c.id as conversation
    from conversations c cross join unnest(c.tags) as tag
    where c.lane = of_lane and c.organization = of_organization and c.id = any(ids)
  ), gone as (
    delete from conversation_tags t where t.lane = of_lane and t.organization = of_organization and t.conversation = any(ids)
      and not exists (select from present p where p.tag = t.tag collate "C" and p.conversation = t.conversation)
  )
  insert into conversation_tags (lane, organization, tag, conversation)
  select of_lane, of_organization, present.* from present on conflict do nothing;
end
$$;
