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
import { beginEffects, type Claimed } from "./claim.ts";
import { redactedAttempt, redactedFault } from "./redacted.ts";
import type { Call, Performed, SetPerformer } from "./performer.ts";

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

/** Delivers messages over the provider of their channel; in a sandbox over the recorder, whatever the channel says. */
export function createDeliverer(deliveries: Deliveries): SetPerformer {
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

  /** Where nobody could ask later what became of a delivery, it is noted first that it was begun. */
  async function begin(claimed: readonly Claimed[], prepared: readonly (Prepared | Performed)[]) {
    const once = claimed.filter((_, n) => isOnce(prepared[n]));
    if (once.length === 0) return prepared;
    const ours = await beginEffects(pool, once);
    return prepared.map((each, n) => (isOnce(each) && !ours.has((claimed[n] as Claimed).id) ? takenOver : each));
  }

  const providerOf = (row: ChannelRow | undefined): Provider | undefined => {
    const kind = row === undefined ? null : registry.get(row.sandbox ? "recorder" : row.provider);
    return kind === null ? undefined : open.get(kind);
  };

  async function deliver(provider: Provider | undefined, claimed: readonly Claimed[], rows: ChannelRows) {
    const prepared = await begin(
      claimed,
      claimed.map((each) => prepare(each, rowOf(rows, each))),
    );
    const ready = prepared.filter(isPrepared);
    const positions = new Map(ready.map((each, at) => [each, at]));
    const together = ready.length > 1 ? provider?.deliverAll?.(ready.map(({ delivery }) => delivery)) : undefined;
    const attemptOf = (each: Prepared): Promise<Attempt> =>
      together?.then((all) => all[positions.get(each) as number] as Attempt) ?? each.provider.deliver(each.delivery);
    return Promise.allSettled(prepared.map(async (each) => (isPrepared(each) ? finish(each, attemptOf(each)) : each)));
  }

  return {
    async callsFor(claimed) {
      const rows = await readChannels(pool, claimed);
      const groups = new Map<
        Provider | Claimed,
        { readonly provider: Provider | undefined; readonly effects: Claimed[] }
      >();
      for (const each of claimed) {
        const provider = providerOf(rowOf(rows, each));
        // who cannot take several gets a call for each
        const group = provider?.deliverAll === undefined ? each : provider;
        const known = groups.get(group);
        if (known === undefined) groups.set(group, { provider, effects: [each] });
        else known.effects.push(each);
      }
      return [...groups.values()].map(({ provider, effects }): Call => {
        return { effects, make: () => deliver(provider, effects, rows) };
      });
    },
  };
}

async function finish({ redact, policy }: Prepared, attempt: Promise<Attempt>): Promise<Performed> {
  try {
    return { ...redactedAttempt(await attempt, redact), policy };
  } catch (error) {
    throw redactedFault(error, redact);
  }
}

/** Whether it must not be tried again by whoever does not know what became of it. */
const isOnce = (given: Prepared | Performed | undefined): boolean =>
  given !== undefined && isPrepared(given) && given.policy === "hold";

/** Nobody hears of it: whoever holds it now settles it. */
const takenOver: Performed = { status: "retry", error: { code: "taken_over", message: "Another worker has it" } };

const isPrepared = (given: Prepared | Performed): given is Prepared => "delivery" in given;

const fits = Compile(DeliverPayloadSchema);

/** Which part of a payload is wrong; never what stands there. */
const placeOf = (payload: unknown): string => fits.Errors(payload)[0]?.instancePath || "payload";

/** The channels of some effects, with one read. */
async function readChannels(pool: Pool, claimed: readonly Claimed[]): Promise<ChannelRows> {
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

type ChannelRows = ReadonlyMap<string, ChannelRow>;

const rowOf = (rows: ChannelRows, claimed: Claimed): ChannelRow | undefined =>
  rows.get(placeKey(claimed, claimed.payload["channel"]));

const placeKey = ({ organization }: { readonly organization: string }, channel: unknown): string =>
  `${organization}/${String(channel)}`;

const failed = (code: string, message: string): Attempt => ({ status: "failed", error: { code, message } });
