-- A step into JSON as before, but written so that its body is put in place of the call: for that it may not be declared
-- strict, as it branches, nor hold anything less than immutable, such as to_jsonb. Called, it took 20 us, and counting
-- 300,000 customers by a property 17 s. Null still gives null.
create or replace function filter_step(value jsonb, step text) returns jsonb language sql immutable parallel safe
return case jsonb_typeof(value)
  when 'object' then value -> step
  when 'array' then case
    when step = 'length' then jsonb_array_length(value)::text::jsonb
    when step ~ '^(0|[1-9][0-9]{0,8})$' then value -> step::integer end
  end;
