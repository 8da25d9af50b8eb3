import type { ChannelKind } from "@threadmill/core";
import type { ProviderKind } from "./provider.ts";
import { recorder } from "./recorder/recorder.ts";
import { twilio } from "./twilio/twilio.ts";

/** What of a channel says who serves it. */
export interface Served {
  readonly kind: ChannelKind;
  readonly provider: string;
}

/** All providers. */
export interface Registry {
  readonly all: readonly ProviderKind[];
  /** by its name */
  get(name: string): ProviderKind | null;
  /** Whose settings, secrets and callbacks a channel has: its provider's, and of one that rehearses those of all others too. */
  serving(channel: Served): readonly ProviderKind[];
}

/** A registry of some providers; two of one name are a bug. */
export function createRegistry(all: readonly ProviderKind[]): Registry {
  const byName = new Map(all.map((each) => [each.name, each]));
  if (byName.size < all.length) throw new Error("Two providers have the same name");
  return {
    all,
    get: (name) => byName.get(name) ?? null,
    serving({ kind, provider }) {
      const own = byName.get(provider);
      if (own === undefined || own.serves[kind] === undefined) return [];
      if (own.rehearses !== true) return [own];
      return [own, ...all.filter((each) => each !== own && each.serves[kind] !== undefined)];
    },
  };
}

/** Every provider there is: a new one is a folder and a word here. */
export const registry = createRegistry([recorder, twilio]);
