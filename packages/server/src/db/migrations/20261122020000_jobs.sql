-- Work on many things, see jobs/. The heads stand in the directory: a process looks for work in all lanes at once.
create table directory_jobs (
  id uuid primary key,
  organization uuid not null,
  lane smallint not null,
  kind text not null,
  parameters jsonb not null,
  actor jsonb not null,                     -- who asked: it acts with their rights of the moment
  key text,                                 -- the idempotency key of whoever asked
  fingerprint text,
  state text not null default 'waiting',    -- waiting, running, paused, cancelled, done, failed
  cursor jsonb,                             -- what lies before it is done
  slice jsonb,                              -- what was begun behind the cursor and is not known to be done
  slice_at timestamptz,                     -- when it was begun: its receipts are kept as long as it is open
  total bigint,                             -- null: not known
  done bigint not null default 0,
  refused bigint not null default 0,
  result jsonb,
  failure jsonb,
  failures integer not null default 0,      -- faults in a row
  due_at timestamptz not null default clock_timestamp(),
  holder uuid,                              -- one turn of one process
  lease_until timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz
);
create index directory_jobs_by_organization on directory_jobs (organization, id);
create unique index directory_jobs_by_key on directory_jobs (organization, key) where key is not null;
create index directory_jobs_by_due on directory_jobs (due_at) where state in ('waiting', 'running');
create index directory_jobs_by_expiry on directory_jobs (expires_at) where expires_at is not null;

-- What of a job was refused, each with its reason.
create table job_refusals (
  lane smallint not null,
  organization uuid not null,
  job uuid not null,
  number bigint not null,                   -- of the refusals of this job, in their order
  item text not null,                       -- the id or the row that it was about
  code text not null,
  message text not null,
  path text,
  detail jsonb,                             -- what was refused, where no row of ours holds it
  primary key (lane, organization, job, number)
);

-- What jobs read and write as a whole: uploads to be imported, exports to be fetched.
create table job_files (
  lane smallint not null,
  organization uuid not null,
  id uuid not null,
  job uuid,                                 -- whose it is; null: nobody's yet
  name text not null,
  media_type text not null,
  bytes bigint not null default 0,
  complete boolean not null default false,
  facts jsonb not null default '{}',
  created_by uuid,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (lane, organization, id)
);
create index job_files_by_expiry on job_files (expires_at);
create index job_files_by_job on job_files (lane, organization, job);

create table job_file_parts (
  lane smallint not null,
  organization uuid not null,
  file uuid not null,
  place bigint not null,                    -- of its first byte in the file
  bytes bytea not null,
  primary key (lane, organization, file, place)
);
alter table job_file_parts alter column bytes set storage external;
