-- What a settings request with an Idempotency-Key was answered, written in the transaction that did it. Commands need no
-- row here: their receipts tell. `key` is the hash of organization, token, route and client key, then that of the body.
create table idempotency_keys (
  lane smallint not null,
  organization uuid not null,
  key text not null,
  answer text not null,                     -- sealed with the secret key: a new token is among the answers
  at timestamptz not null,
  primary key (lane, organization, key)
);
