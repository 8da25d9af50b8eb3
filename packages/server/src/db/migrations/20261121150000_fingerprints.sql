-- A client's key and what it was used for, apart: whoever holds the lane finds the key and compares the fingerprint.
alter table receipts add column fingerprint text;

alter table idempotency_keys add column fingerprint text;
update idempotency_keys set fingerprint = substr(key, 33), key = substr(key, 1, 32);
alter table idempotency_keys alter column fingerprint set not null;
