-- A conversation's run may wait for an event of its customer: it is found by the customer as well. Null for nearly all.
alter table runs add column hears uuid;
update runs set hears = customer
where status = 'waiting' and subject_kind = 'conversation' and waiting ->> 'unless' like 'customer.%';
create index runs_by_hearing on runs (lane, organization, hears) where hears is not null;
