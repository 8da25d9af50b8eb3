import { type Channel, oneOf, type Refusal, refuse, settingsSchemas } from "@threadmill/core";
import { type TProperties, type TSchema, Type } from "typebox";
import { oldSecret } from "../../channels/bind-secrets.ts";
import { callbackUrl } from "../../channels/callback-address.ts";
import { registry as everyProvider, type Registry } from "../../channels/registry.ts";
import { destinationOf, ownerOf, sealSecret } from "../../channels/secrets.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Resource, resource } from "../settings/resource.ts";
import { settingsProblem } from "./settings-problem.ts";

const { slug, name, kind, mailbox, address, on_unknown } = settingsSchemas.channels.properties;

/** A channel with what its provider has to do with. */
interface ChannelRow extends Channel {
  readonly provider_settings: Readonly<Record<string, unknown>>;
  readonly provider_secrets: Readonly<Record<string, string>>;
}

/** What of a row its secrets and callbacks depend on. */
const servedOf = ({ id, kind: of, provider: name, provider_settings: settings }: ChannelRow) => ({
  id,
  kind: of,
  provider: name,
  settings,
});
const secretsOf = (row: ChannelRow): Readonly<Record<string, string>> => row.provider_secrets;

/** Pipes by which messages come and go; what is particular to each provider comes from the registry. */
export function channels(
  { secretBox, publicUrl }: Pick<AppPorts, "secretBox" | "publicUrl">,
  registry: Registry = everyProvider,
): Resource {
  const { secretNames, secretFields, hasFields, callbackFields, provider, provider_settings } = schemasOf(registry);
  const fields = { slug, name, mailbox, address, provider, on_unknown, provider_settings, ...secretFields };
  return resource<ChannelRow>({
    noun: "channel",
    plural: "channels",
    shape: Type.Object(
      { ...settingsSchemas.channels.properties, provider_settings, ...hasFields, ...callbackFields },
      { title: "Channel" },
    ),
    create: { kind, ...fields },
    update: fields,
    defaults: { address: null, provider: "recorder", on_unknown: "hold", provider_settings: {}, provider_secrets: {} },
    unique: ["slug"],
    json: ["provider_settings", "provider_secrets"],
    slugged: true,
    seen: ({ mailbox }, known) => known === null || known.includes(mailbox),
    columns(given, id, { organization }, before) {
      const rest = Object.fromEntries(Object.entries(given).filter(([each]) => !secretNames.includes(each)));
      const row = { provider: "recorder", provider_settings: {}, ...before, ...rest, id } as unknown as ChannelRow;
      const owner = { ...servedOf(row), organization };
      const secrets: Record<string, string> = {};
      for (const each of secretNames) {
        const text = given[each];
        // what the provider has no use for is not kept
        const kept = before === null || ownerOf(registry, owner, each) === null ? undefined : secretsOf(before)[each];
        const sealed =
          typeof text === "string"
            ? sealSecret(secretBox, registry, owner, { name: each, text })
            : text === null
              ? null
              : kept;
        // a secret that has no place is refused below, by its absence
        if (typeof sealed === "string") secrets[each] = sealed;
      }
      const changed = before === null || JSON.stringify(secretsOf(before)) !== JSON.stringify(secrets);
      // one that was sealed before secrets had names must not come back over what is given now
      const old = before !== null && oldSecret in given ? { provider_secret: null } : {};
      return { ...rest, ...old, ...(changed && { provider_secrets: secrets }) };
    },
    show(row) {
      const serving = registry.serving(servedOf(row));
      const has = secretNames.map((each) => [`has_${each}`, each in secretsOf(row)]);
      const addresses = Object.keys(callbackFields).map((field) => {
        const calls = serving.flatMap((one) =>
          one.callbacks.filter((each) => each.field === field).map((each) => callbackUrl(publicUrl, one, row.id, each)),
        );
        return [field, calls[0] ?? null];
      });
      return Object.fromEntries([...has, ...addresses]);
    },
    async check(row, { tx, place, before, given }) {
      const { rows } = await tx.query(
        "select 1 from mailboxes where lane = $1 and organization = $2 and id = $3 and archived_at is null",
        [place.lane, place.organization, row.mailbox],
      );
      if (rows.length === 0) return refuse("invalid", "mailbox_not_found", "There is no such mailbox", "/mailbox");
      const own = registry.get(servedOf(row).provider);
      const serving = registry.serving(servedOf(row));
      if (own === null || serving.length === 0) {
        const title = own?.title ?? servedOf(row).provider;
        const kinds = Object.keys(own?.serves ?? {}).join(", ");
        return refuse(
          "invalid",
          "provider_not_for_kind",
          `${title} serves ${kinds}, not ${servedOf(row).kind}`,
          "/provider",
        );
      }
      const wrong = settingsProblem(serving, servedOf(row).settings);
      if (wrong !== null) return wrong;
      const homeless = serving.find(
        (each) => Object.keys(each.secrets).length > 0 && each.destination(servedOf(row).settings) === null,
      );
      if (homeless !== undefined)
        return refuse(
          "invalid",
          "address_invalid",
          `${homeless.title} has no address in these settings`,
          "/provider_settings",
        );
      return secretProblem(registry, row, before, given) ?? addressProblemOf(serving, row);
    },
    async after({ id }, { tx, place, before }) {
      if (before !== null) return;
      await tx.query("insert into directory_channels (channel, organization, lane) values ($1, $2, $3)", [
        id,
        place.organization,
        place.lane,
      ]);
    },
  });
}

/** What the registry adds to a channel's fields. */
function schemasOf({ all }: Registry) {
  const secrets = new Map(all.flatMap((each) => Object.entries(each.secrets)));
  const fields = new Map(all.flatMap((each) => each.callbacks.map(({ field, about }) => [field, about] as const)));
  const properties = (entries: Iterable<readonly [string, TSchema]>): TProperties => Object.fromEntries(entries);
  return {
    secretNames: [...secrets.keys()],
    secretFields: properties(
      [...secrets].map(([each, { about, maxLength }]) => [
        each,
        Type.Optional(
          Type.Union([Type.String({ minLength: 1, maxLength }), Type.Null()], {
            description: `${about} It is stored encrypted, bound to the host that the settings name, and never shown. A changed host needs it again.`,
          }),
        ),
      ]),
    ),
    hasFields: properties([...secrets.keys()].map((each) => [`has_${each}`, Type.Boolean()])),
    callbackFields: properties(
      [...fields].map(([field, about]) => [field, Type.Union([Type.String(), Type.Null()], { description: about })]),
    ),
    provider: oneOf(
      all.map((each) => each.name),
      all.map((each) => `\`${each.name}\`: ${each.about}`).join(" "),
    ),
    // checked by the provider's own schema once it is known which that is
    provider_settings: Type.Object(
      {},
      {
        description: `What the provider needs that is no secret. ${all
          .filter((each) => Object.keys(each.settings.properties).length > 0)
          .map((each) => `${each.title}: ${Object.keys(each.settings.properties).join(", ")}.`)
          .join(" ")}`,
        "x-providers": Object.fromEntries(all.map((each) => [each.name, each.settings])),
      },
    ),
  };
}

/** A secret that the channel cannot have, or that would go to another host than it was given for. */
function secretProblem(
  registry: Registry,
  row: ChannelRow,
  before: ChannelRow | null,
  given: Readonly<Record<string, unknown>>,
): Refusal | null {
  for (const each of new Set(registry.all.flatMap(({ secrets }) => Object.keys(secrets)))) {
    if (typeof given[each] === "string") {
      if (each in secretsOf(row)) continue;
      return refuse("invalid", "secret_not_for_provider", `The channel's provider takes no ${each}`, `/${each}`);
    }
    if (before === null || !(each in secretsOf(row))) continue;
    const [from, to] = [before, row].map((one) => destinationOf(registry, servedOf(one), each));
    if (from === to) continue;
    return refuse(
      "invalid",
      "secret_needed_again",
      `The ${each} was given for ${from ?? "another host"}. To send it to ${to ?? "another host"}, give it again; to do without, give null`,
      `/${each}`,
    );
  }
  return null;
}

/** What stands against our own address; of a channel that rehearses, one provider that takes it is enough. */
function addressProblemOf(serving: ReturnType<Registry["serving"]>, row: ChannelRow): Refusal | null {
  const { kind: of, address: own } = row;
  if (own === null) return null;
  const problems = serving.map((each) => each.addressProblem(of, own));
  return problems.includes(null) ? null : (problems[0] ?? null);
}
