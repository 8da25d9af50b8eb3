-- A version that changes nothing about a time trigger takes over its anchors: by the trigger's place in the document, the
-- instant from which on it fires for what falls due. A trigger that is not named goes by due_from.
alter table workflow_versions add column trigger_due_from jsonb not null default '{}';
