-- The config_version with which each row of the settings last changed, so that a process that holds an older one reads
-- what changed since and nothing else. A trigger sets it, because whoever forgot would leave every process with old settings.

create function mark_settings_change() returns trigger language plpgsql as $$
begin
  new.changed_in := coalesce(
    (select config_version + 1 from organizations where lane = new.lane and organization = new.organization), 0);
  return new;
end
$$;

alter table users add column changed_in bigint not null default 0;
alter table teams add column changed_in bigint not null default 0;
alter table mailboxes add column changed_in bigint not null default 0;
alter table channels add column changed_in bigint not null default 0;
alter table calendars add column changed_in bigint not null default 0;
alter table properties add column changed_in bigint not null default 0;
alter table workflows add column changed_in bigint not null default 0;

create index users_by_change on users (lane, organization, changed_in);
create index teams_by_change on teams (lane, organization, changed_in);
create index mailboxes_by_change on mailboxes (lane, organization, changed_in);
create index channels_by_change on channels (lane, organization, changed_in);
create index calendars_by_change on calendars (lane, organization, changed_in);
create index properties_by_change on properties (lane, organization, changed_in);
create index workflows_by_change on workflows (lane, organization, changed_in);

create trigger users_marked before insert or update on users for each row execute function mark_settings_change();
create trigger teams_marked before insert or update on teams for each row execute function mark_settings_change();
create trigger mailboxes_marked before insert or update on mailboxes for each row execute function mark_settings_change();
create trigger channels_marked before insert or update on channels for each row execute function mark_settings_change();
create trigger calendars_marked before insert or update on calendars for each row execute function mark_settings_change();
create trigger properties_marked before insert or update on properties for each row execute function mark_settings_change();
create trigger workflows_marked before insert or update on workflows for each row execute function mark_settings_change();
