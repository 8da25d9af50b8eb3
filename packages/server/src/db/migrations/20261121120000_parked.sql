-- Who saw to an item that waited for a person, and whether it was done after all.
alter table parked add column resolved_by uuid;
alter table parked add column resolution text;
