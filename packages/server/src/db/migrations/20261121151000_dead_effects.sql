-- concurrently
-- The list of what was given up, beside hundreds of thousands that are only due. Ordinary effects never enter it.
create index effects_dead on effects (lane, organization, id) where status = 'dead';
