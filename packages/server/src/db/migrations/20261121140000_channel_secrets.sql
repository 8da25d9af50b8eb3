-- Secrets of a channel by their names, each sealed for the host that it may be sent to. The first start after this moves
-- what stands in provider_secret here, for sealing needs the secret key; from then on that column stays empty.
alter table channels add column provider_secrets jsonb not null default '{}';
comment on column channels.provider_secret is 'empty: see provider_secrets';

-- What a delivery has beside text and media: subject, html, headers, attachments, thread.
alter table recorded_deliveries add column extras jsonb;
