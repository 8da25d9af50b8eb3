import { type ChannelKind, type DeliverPayload, DeliverPayloadSchema } from "@threadmill/core";
import type { Pool } from "pg";
import Compile from "typebox/compile";
import { statusUrl } from "../channels/callback-address.ts";
import { lacks } from "../channels/capability.ts";
import type {
  Attempt,
  Delivery,
  Provider,
  ProviderKind,
  ProviderPorts,
  ProviderSettings,
} from "../channels/provider.ts";
import type { Registry } from "../channels/registry.ts";
import { openSecrets, type SealedSecrets } from "../channels/secrets.ts";
import { redactor } from "../secrets/redact.ts";
import type { SecretBox } from "../secrets/secret-box.ts";
import type { Claimed } from "./claim.ts";
import { redactedAttempt, redactedFault } from "./redacted.ts";
import type { Performed, Performer } from "./workers.ts";

interface ChannelRow {
  readonly lane: number;
  readonly organization: string;
  readonly id: string;
  readonly kind: ChannelKind;
  readonly address: string | null;
  readonly provider: string;
  readonly on_unknown: "retry" | "hold";
  readonly provider_settings: ProviderSettings;
  readonly provider_secrets: SealedSecrets;
  readonly sandbox: boolean;
}

/** A delivery that a provider can be given, and what is to be made of its answer. */
interface Prepared {
  readonly provider: Provider;
  readonly delivery: Delivery;
  readonly redact: (text: string) => string;
  readonly policy: "retry" | "hold";
}

export interface Deliveries extends Pick<ProviderPorts, "pool" | "outside"> {
  readonly registry: Registry;
  readonly secretBox: SecretBox;
  readonly publicUrl: string;
}

/** Delivers messages: one claimed effect, or several at once. */
export interface Deliverer {
  readonly deliver: Performer;
  /**
   * What became of each, in their order; those of one provider that can take several go to it together. A fault of ours
   * is a rejection of those that it met, and of no others. Throws when the channels cannot be read: nothing went out then.
   */
  deliverAll(claimed: readonly Claimed[]): Promise<readonly PromiseSettledResult<Performed>[]>;
}

/** Delivers messages over the provider of their channel; in a sandbox over the recorder, whatever the channel says. */
export function createDeliverer(deliveries: Deliveries): Deliverer {
  const { registry, pool, secretBox, publicUrl } = deliveries;
  const open = new Map(registry.all.map((kind) => [kind, kind.open(deliveries)]));

  function prepare(claimed: Claimed, row: ChannelRow | undefined): Prepared | Performed {
    const { payload } = claimed;
    if (!fits.Check(payload))
      return failed("delivery_malformed", `The delivery's ${placeOf(payload)} is not as it must be`);
    if (row === undefined) return failed("channel_not_found", "The channel is gone");
    const kind = registry.get(row.sandbox ? "recorder" : row.provider);
    if (kind === null) return failed("provider_unknown", `There is no provider ${row.provider}`);
    const lacking = lacks(kind, row.kind, payload);
    if (lacking !== null) return failed(lacking.code, lacking.message);
    const place = { ...row, settings: row.provider_settings };
    const secrets = openSecrets(secretBox, kind, place, row.provider_secrets);
    if (secrets === null)
      return failed(
        "secret_unreadable",
        "The channel's secret cannot be opened: it was sealed with another key, or for another host than the settings name",
      );
    if (claimed.lost && !kind.keys && row.on_unknown === "hold") {
      // as unknown as a connection that broke: the worker that held it may have handed it over before it was killed
      const error = { code: "outcome_unknown", message: "The worker that delivered it was lost on the way" };
      return { status: "unknown", error };
    }
    return {
      provider: open.get(kind) as Provider,
      delivery: deliveryOf(claimed, payload, kind, place, secrets),
      redact: redactor(Object.values(secrets)),
      // a provider that knows our key may simply be asked again
      policy: kind.keys ? "retry" : row.on_unknown,
    };
  }

  function deliveryOf(
    { key }: Claimed,
    payload: DeliverPayload,
    provider: ProviderKind,
    { id, organization, lane, kind, address, settings }: ChannelRow & { readonly settings: ProviderSettings },
    secrets: Readonly<Record<string, string>>,
  ): Delivery {
    return {
      ...payload,
      key,
      channel: { id, organization, lane, kind, address, settings, secrets },
      statusUrl: statusUrl({ publicUrl, secretBox }, provider, { id, organization }, payload.message),
    };
  }

  async function deliverAll(claimed: readonly Claimed[]): Promise<readonly PromiseSettledResult<Performed>[]> {
    const rows = await readChannels(pool, claimed);
    const prepared = claimed.map((each) => prepare(each, rows.get(placeKey(each, each.payload["channel"]))));
    const attempts = new Map<Prepared, Promise<Attempt>>();
    for (const [provider, group] of groupsOf(prepared)) {
      const together = group.length > 1 ? provider.deliverAll?.(group.map(({ delivery }) => delivery)) : undefined;
      for (const [n, each] of group.entries()) {
        const attempt =
          together === undefined ? provider.deliver(each.delivery) : together.then((all) => all[n] as Attempt);
        attempts.set(each, attempt);
      }
    }
    return Promise.allSettled(
      prepared.map(async (each) => (isPrepared(each) ? finish(each, attempts.get(each) as Promise<Attempt>) : each)),
    );
  }

  return {
    async deliver(claimed) {
      const [result] = (await deliverAll([claimed])) as [PromiseSettledResult<Performed>];
      if (result.status === "rejected") throw result.reason;
      return result.value;
    },
    deliverAll,
  };
}

async function finish({ redact, policy }: Prepared, attempt: Promise<Attempt>): Promise<Performed> {
  try {
    return { ...redactedAttempt(await attempt, redact), policy };
  } catch (error) {
    throw redactedFault(error, redact);
  }
}

const isPrepared = (given: Prepared | Performed): given is Prepared => "delivery" in given;

function groupsOf(prepared: readonly (Prepared | Performed)[]): Map<Provider, Prepared[]> {
  const groups = new Map<Provider, Prepared[]>();
  for (const each of prepared)
    if (isPrepared(each)) groups.set(each.provider, [...(groups.get(each.provider) ?? []), each]);
  return groups;
}

const fits = Compile(DeliverPayloadSchema);

/** Which part of a payload is wrong; never what stands there. */
const placeOf = (payload: unknown): string => fits.Errors(payload)[0]?.instancePath || "payload";

/** The channels of some effects, with one read. */
async function readChannels(pool: Pool, claimed: readonly Claimed[]): Promise<Map<string, ChannelRow>> {
  const wanted = claimed.flatMap(({ lane, organization, payload }) =>
    fits.Check(payload) ? [{ lane, organization, channel: payload.channel }] : [],
  );
  const { rows } = await pool.query<ChannelRow>({
    name: "channels_for_delivery",
    text: `select c.lane, c.organization, c.id, c.kind, c.address, c.provider, c.on_unknown, c.provider_settings, c.provider_secrets, o.sandbox
from (select distinct * from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as w (lane, organization, channel)) w
join channels c on c.lane = w.lane and c.organization = w.organization and c.id = w.channel
join organizations o on o.lane = c.lane and o.organization = c.organization`,
    values: [
      wanted.map(({ lane }) => lane),
      wanted.map(({ organization }) => organization),
      wanted.map(({ channel }) => channel),
    ],
  });
  return new Map(rows.map((row) => [placeKey(row, row.id), row]));
}

const placeKey = ({ organization }: { readonly organization: string }, channel: unknown): string =>
  `${organization}/${String(channel)}`;

const failed = (code: string, message: string): Attempt => ({ status: "failed", error: { code, message } });
