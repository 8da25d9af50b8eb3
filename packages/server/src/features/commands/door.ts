import { type AnyCommand, isEverywhere, notPermitted, type Refusal, type SettingsIndex } from "@threadmill/core";
import type { Call } from "../../http/route.ts";
import type { AppPorts } from "../../http/ports.ts";
import { callerMay } from "../../http/rights.ts";
import { ttlCache } from "../../http/ttl-cache.ts";
import type { Place } from "../../lanes/port.ts";
import { hideUnreachable } from "../../rights/hide.ts";
import { reachOfCaller } from "../../rights/reach.ts";

type Given = Readonly<Record<string, unknown>>;

/** Asks at the door what a decision asks again with the row in hand. */
export interface CommandDoor {
  /** The command's input as it goes on, or the decision's own answer to who may not at all. */
  enter(call: Call, command: AnyCommand, input: Given): Promise<{ readonly input: Given } | Refusal>;
  /** Makes a change of an organization's settings count here at once. */
  forget(place: Place): void;
}

/**
 * For how long it is taken for granted that somebody may do something everywhere: the decision would refuse it. Every no
 * and every limit is asked for anew.
 */
const rememberMs = 500;
const mostRemembered = 10_000;

/**
 * The door of commands: refuses who lacks the right before the input is looked at, so that no answer to it tells of what
 * exists, and hides what is out of reach. For an unrestricted caller it asks the database nothing.
 */
export function commandDoor({ engine, pool, clock }: Pick<AppPorts, "engine" | "pool" | "clock">): CommandDoor {
  const lanes = new Map<string, number>();
  const known = ttlCache<SettingsIndex>({
    load: (organization) => engine.settings({ organization, lane: lanes.get(organization) as number }),
    ttlMs: rememberMs,
    most: mostRemembered,
    nowMs: () => Date.parse(clock.now()),
  });
  return {
    forget: ({ organization }) => known.forget(organization),
    async enter(call, { type, permission }, input) {
      const { place, caller } = call;
      if (lanes.size >= mostRemembered) lanes.clear();
      lanes.set(place.organization, place.lane);
      const held = await known.get(place.organization);
      const sure = isEverywhere(reachOfCaller(held, caller, permission));
      const settings = sure ? held : await known.get(place.organization, 0);
      if (!callerMay(settings, caller, permission)) return notPermitted(type, permission);
      const reach = reachOfCaller(settings, caller, permission);
      return { input: await hideUnreachable(input, { pool, place, settings, reach }) };
    },
  };
}
