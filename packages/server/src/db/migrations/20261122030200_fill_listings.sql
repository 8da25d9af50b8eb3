-- sliced
-- Conversations of before, whose events may be gone from the log by now.
with these as (
  select lane, organization, id from conversations
  where $1::text is null or (lane, organization, id) > (
    split_part($1, ' ', 1)::smallint, split_part($1, ' ', 2)::uuid, split_part($1, ' ', 3)::uuid)
  order by lane, organization, id limit 5000
), done as (
  select count(refresh_listings(lane, organization, ids)::text) from (
    select lane, organization, array_agg(id) as ids from these group by lane, organization) as places
), last as (
  select lane || ' ' || organization || ' ' || id as cursor from these order by lane desc, organization desc, id desc limit 1
)
select last.cursor from last, done
