-- Who is online by their pages: few, and looked through every few seconds for those who are gone.
create index presences_seen on presences (lane, organization, user_id) where seen = 'online';
