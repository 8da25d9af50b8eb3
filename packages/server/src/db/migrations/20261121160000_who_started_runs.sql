-- Who asked for a run by a command, and who cancelled it; null where an event, the clock or the engine did.
alter table runs add column started_by jsonb, add column ended_by jsonb;
alter table runs_history add column started_by json, add column ended_by json;
