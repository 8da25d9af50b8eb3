-- What signing in keeps: tries that failed, devices that are known, and who was invited.

create table directory_attempts (
  key text primary key,                     -- sha256 of what is counted: an account, an address, both, a device
  failures integer not null default 0,
  last_at timestamptz not null default now(),
  blocked_until timestamptz
);

-- A browser in which an identity has signed in before: strangers who guess do not hold it up.
create table directory_devices (
  hash text not null,                       -- sha256 of the device's cookie, hex
  identity uuid not null,
  last_used_at timestamptz not null default now(),
  primary key (hash, identity)
);

create table directory_invitations (
  id uuid primary key,
  organization uuid not null,
  lane smallint not null,
  user_id uuid not null,                    -- whom the one who accepts will be
  email text not null,
  hash text not null unique,                -- sha256 of the link's token, hex
  mailed boolean not null default false,    -- whether the link went to that address, which accepting it then proves
  invited_by uuid,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);
create index directory_invitations_by_organization on directory_invitations (organization, id);
