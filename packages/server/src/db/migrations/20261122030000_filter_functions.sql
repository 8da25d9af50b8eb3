-- What conditions mean by a text without its capitals, by a number, an instant and a day that a text writes, said to the
-- database, so that a list finds the rows for which a condition holds and no others: see packages/server/src/filters.

create function filter_fold(value text) returns text language sql immutable strict parallel safe
return translate(lower(value collate "und-x-icu"), 'ſς', 'sσ');

-- The number that a text writes; null where it writes none. What is too large or too small for one is as in JavaScript.
create function filter_number(value text) returns double precision language plpgsql immutable strict as $$
declare
  digits text := btrim(value, U&'\0009\000A\000B\000C\000D\0020\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000\FEFF');
begin
  if length(value) > 64 or digits !~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$' then return null; end if;
  return digits::double precision;
exception when numeric_value_out_of_range then
  return case when digits ~ '[eE]-' then 0.0 when digits ~ '^-' then '-Infinity'::double precision else 'Infinity' end;
end
$$;

-- The instant that a text writes with its offset from UTC; null where it writes none.
create function filter_instant(value text) returns timestamptz language plpgsql immutable strict as $$
declare
  parts text[] := regexp_match(value,
    '^(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-4]):[0-5]\d)(?::([0-5]\d)(\.\d{1,3})?\d*)?(Z|[+-]\d\d:[0-5]\d)$');
begin
  if parts is null then return null; end if;
  return (parts[1] || ':' || coalesce(parts[2], '00') || coalesce(parts[3], '') || parts[4])::timestamptz;
exception when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
  return null;
end
$$;

-- The day that a text writes, as it stands; null where it writes none.
create function filter_day(value text) returns text language plpgsql immutable strict as $$
begin
  if value !~ '^\d{4}-\d\d-\d\d$' then return null; end if;
  perform value::date;
  return value;
exception when datetime_field_overflow or invalid_datetime_format then
  return null;
end
$$;

-- A single JSON value as conditions print it: numbers as JavaScript does; null for lists and objects.
create function filter_text(value jsonb) returns text language sql immutable strict parallel safe
return case jsonb_typeof(value)
  when 'string' then value #>> '{}'
  when 'boolean' then value #>> '{}'
  when 'number' then (
    select case
      when number = 0 then '0'
      when abs(number) >= 1e21 or abs(number) < 1e-6 then regexp_replace(number::text, 'e([+-])0+', 'e\1')
      else (number::text)::numeric::text end
    from (select (value #>> '{}')::double precision as number) as one)
  end;

-- One step of a path into a JSON value, as conditions take it: own members and items, and how many items there are.
create function filter_step(value jsonb, step text) returns jsonb language sql immutable strict parallel safe
return case jsonb_typeof(value)
  when 'object' then value -> step
  when 'array' then case
    when step = 'length' then to_jsonb(jsonb_array_length(value))
    when step ~ '^(0|[1-9][0-9]{0,8})$' then value -> step::integer end
  end;
