import type { ChannelKind } from "@threadmill/core";
import type { Pool } from "pg";
import type { SecretBox } from "../secrets/secret-box.ts";
import type { ProviderSettings } from "./provider.ts";
import type { Registry } from "./registry.ts";
import { sealSecret } from "./secrets.ts";

interface Unbound {
  readonly lane: number;
  readonly organization: string;
  readonly id: string;
  readonly kind: ChannelKind;
  readonly provider: string;
  readonly provider_settings: ProviderSettings;
  readonly provider_secret: string;
}

/** The one secret that a channel had before secrets had names. */
export const oldSecret = "auth_token";

/**
 * Seals anew what was sealed before secrets were bound to a host: for the host that the channel's settings name now. Once
 * done there is nothing left to do; several processes may do it at once. Answers the channels that could not be done.
 */
export async function bindSecrets(pool: Pool, box: SecretBox, registry: Registry): Promise<readonly string[]> {
  // given anew meanwhile, and bound then: the old one is of no use, least of all for the host that the settings name now
  await pool.query(
    "update channels set provider_secret = null where provider_secret is not null and provider_secrets ? $1",
    [oldSecret],
  );
  const { rows } = await pool.query<Unbound>(
    "select lane, organization, id, kind, provider, provider_settings, provider_secret from channels where provider_secret is not null",
  );
  const left: string[] = [];
  for (const row of rows) {
    const opened = box.open(row.provider_secret, [row.organization, row.id, "provider_secret"]);
    const bound = opened.ok
      ? sealSecret(box, registry, { ...row, settings: row.provider_settings }, { name: oldSecret, text: opened.text })
      : null;
    if (bound === null) {
      left.push(row.id);
      continue;
    }
    await pool.query(
      `update channels set provider_secrets = provider_secrets || $5, provider_secret = null
where lane = $1 and organization = $2 and id = $3 and provider_secret = $4 and provider_settings = $6
and not provider_secrets ? $7`,
      [
        row.lane,
        row.organization,
        row.id,
        row.provider_secret,
        JSON.stringify({ [oldSecret]: bound }),
        JSON.stringify(row.provider_settings),
        oldSecret,
      ],
    );
  }
  return left;
}
