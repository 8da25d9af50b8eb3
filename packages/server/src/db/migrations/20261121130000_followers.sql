-- How far each follower has carried each lane's log. A lane's own, as the log's numbers are: no organization.
create table followers (
  lane smallint not null,
  name text not null,
  seq bigint not null,                      -- the last event that was carried
  since timestamptz,                        -- made anew from the log after this instant; what is older stays as it was
  primary key (lane, name)
);

-- What a follower counts of each organization's day, in the organization's zone.
create table daily_counts (
  lane smallint not null,
  organization uuid not null,
  day date not null,
  messages bigint not null default 0,
  runs bigint not null default 0,           -- begun; only of days that are over, see daily_counts_closed
  primary key (lane, organization, day)
);

-- Up to which day an organization's runs are counted: they are no events, so a day's are counted when it is over.
create table daily_counts_closed (
  lane smallint not null,
  organization uuid not null,
  day date not null,
  primary key (lane, organization)
);
