-- What the published version of each workflow names of the settings, so that archiving or renaming one thing looks at the
-- workflows that name it and at no other. `named` says which version's names are listed; older rows are listed when first
-- asked for.
create table workflow_names (
  lane smallint not null,
  organization uuid not null,
  name text not null,                       -- such as team/billing; "clock" for a version with a time trigger
  workflow uuid not null,
  primary key (lane, organization, name, workflow)
);
create index workflow_names_by_workflow on workflow_names (lane, organization, workflow);

alter table workflows add column named uuid;
create index workflows_unnamed on workflows (lane, organization) where named is distinct from published;
