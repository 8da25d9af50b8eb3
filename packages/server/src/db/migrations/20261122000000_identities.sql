-- Who signs in: people with an identity of their own, apart from the users that they are in each organization.

create table directory_identities (
  id uuid primary key,
  name text not null,
  email text not null,                      -- in lower case
  email_verified boolean not null default false,
  image text,
  two_factor boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index directory_identities_by_email on directory_identities (email);

-- Which user an identity is in an organization; it may be one in several.
create table directory_memberships (
  identity uuid not null,
  organization uuid not null,
  lane smallint not null,
  user_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (identity, organization)
);
create unique index directory_memberships_by_user on directory_memberships (organization, user_id);

-- How an identity proves itself: by a password, or by a provider of single sign-on.
create table directory_accounts (
  id uuid primary key,
  identity uuid not null,
  provider text not null,
  account_id text not null,                 -- the provider's name for the identity
  password text,                            -- hashed
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index directory_accounts_by_provider on directory_accounts (provider, account_id);
create index directory_accounts_by_identity on directory_accounts (identity);

create table directory_sessions (
  id uuid primary key,
  identity uuid not null,
  token text not null unique,               -- sha256 of the token, hex; the token itself is never kept
  organization uuid,                        -- in which it works now
  brief boolean not null default false,     -- not to be remembered beyond the day
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now()  -- coarse: written once in a while, not with every request
);
create index directory_sessions_by_identity on directory_sessions (identity);

-- What was begun and waits for its proof: a password's reset, a second factor, a provider's answer.
create table directory_verifications (
  id uuid primary key,
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index directory_verifications_by_identifier on directory_verifications (identifier);

create table directory_second_factors (
  id uuid primary key,
  identity uuid not null unique,
  secret text not null,                     -- sealed
  backup_codes text not null,               -- hashed
  verified boolean not null default false,
  failed_verification_count integer not null default 0,
  locked_until timestamptz
);

alter table directory_tokens add column expires_at timestamptz;
alter table directory_tokens add column last_used_at timestamptz; -- coarse, as a session's
