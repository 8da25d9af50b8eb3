-- Whether whoever holds an effect, or held it last, had begun it where its outcome cannot be asked for a second time. What
-- was held and never begun when a process died can simply go. Of what is held now nobody knows.
alter table effects add column begun boolean not null default false;
update effects set begun = true where lease_until is not null;
