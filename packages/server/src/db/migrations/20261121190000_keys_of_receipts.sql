-- sliced by lane
-- Receipts from before keys and fingerprints were apart: what repeats such a request must find its answer.
with slice as (
  select organization, key from receipts
  where lane = $2 and key is not null
    and (organization, key) >
      (coalesce(left($1::text, 36)::uuid, '00000000-0000-0000-0000-000000000000'), coalesce(substr($1::text, 37), ''))
  order by organization, key limit 2000
), cut as (
  update receipts r set fingerprint = substr(r.key, 33), key = substr(r.key, 1, 32)
  from (select distinct organization, key from slice where length(key) = 64) s
  where r.lane = $2 and r.organization = s.organization and r.key = s.key
)
select organization || key as cursor from slice order by organization desc, key desc limit 1
