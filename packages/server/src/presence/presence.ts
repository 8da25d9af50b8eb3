import { isCalendarOpen } from "@threadmill/core";
import type { Pool } from "pg";
import type { Engine, EngineLog } from "../lanes/engine.ts";
import type { Live } from "../live/live.ts";
import type { Clock } from "../process/clock.ts";
import { loop, type Service } from "../process/running.ts";
import { notSeenOnline, renewLeases, seenButGone, type Someone, usersByHours } from "./leases.ts";

/** What seeing who is there needs of the process around it. */
export interface PresenceOptions {
  readonly pool: Pool;
  readonly engine: Pick<Engine, "submit" | "settings">;
  readonly live: Pick<Live, "onUser">;
  /** names this process among all, anew at each start */
  readonly process: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: EngineLog;
  /** how long somebody counts as there whose last page closed, in seconds; default 30 */
  readonly graceSeconds?: number;
  /** how often it is looked at who came and went, in ms; default 1,000 */
  readonly pauseMs?: number;
}

/** How often a process says that it lives and has pages open, and for how long others believe it. */
const renewMs = 15_000;
const leaseSeconds = 45;
const lookMs = 5000;
const mostAtOnce = 500;

/**
 * Sees who is there, all processes together: by a row for each process and user with pages open, which ends by itself
 * when the process dies, or by working hours. Who came is told at once, who went after a while, so that a reload or a
 * network that comes and goes is no news. What is seen becomes a command, and what follows from it is decided there.
 */
export function createPresence(options: PresenceOptions): Service {
  const { pool, engine, clock, process, graceSeconds = 30 } = options;
  const here = new Map<string, Someone>();
  const came = new Map<string, Someone>();
  const went = new Map<string, Someone>();
  let [renewedAt, lookedAt] = [-Infinity, -Infinity];

  /** Tells what was seen of somebody; what is known already changes nothing. */
  const see = async ({ user, ...place }: Someone, status: "online" | "offline", by: "connections" | "hours") => {
    const known = (await engine.settings(place)).user(user);
    if (known === null || known.archived_at !== null || known.kind !== "person") return;
    if ((known.hours === null) !== (by === "connections")) return;
    await engine.submit({
      place,
      type: "user.set_presence",
      input: { user, status, by },
      actor: { kind: "system", id: null },
    });
  };

  /** One after the other: it is no hurry, and messages go first. */
  const seeAll = async (users: readonly Someone[], status: "online" | "offline"): Promise<void> => {
    for (const user of users) await see(user, status, "connections");
  };

  const followHours = async (): Promise<void> => {
    for (const { hours, seen, now, ...someone } of await usersByHours(pool)) {
      const calendar = (await engine.settings(someone)).calendar(hours);
      if (calendar === null || calendar.archived_at !== null) continue;
      const status = isCalendarOpen(calendar.calendar, now) ? "online" : "offline";
      if (status !== seen) await see(someone, status, "hours");
    }
  };

  const take = (from: Map<string, Someone>): Someone[] => {
    const all = [...from.values()];
    from.clear();
    return all;
  };

  const service = loop({
    name: "presence",
    clock,
    random: options.random,
    idleMs: options.pauseMs ?? 1000,
    maxIdleMs: options.pauseMs ?? 1000,
    backoff: { baseMs: 1000, maxMs: 30_000 },
    onError: (error) => {
      // whoever came or went meanwhile is found again
      renewedAt = -Infinity;
      options.log.error({ err: error }, "it could not be told who is there");
    },
    wake: () =>
      options.live.onUser((place, user, isHere) => {
        const name = `${place.organization}/${user}`;
        const someone = { ...place, user };
        if (isHere) {
          here.set(name, someone);
          came.set(name, someone);
          went.delete(name);
        } else {
          here.delete(name);
          came.delete(name);
          went.set(name, someone);
        }
      }),
    async tick() {
      const now = performance.now();
      const renew = now - renewedAt >= renewMs;
      const all = renew ? [...here.values()] : take(came);
      if (renew) came.clear();
      await renewLeases(pool, process, all, leaseSeconds);
      await renewLeases(pool, process, take(went), graceSeconds);
      if (renew) renewedAt = now;
      await seeAll(await notSeenOnline(pool, all), "online");
      if (now - lookedAt < (options.pauseMs === undefined ? lookMs : options.pauseMs)) return 0;
      lookedAt = now;
      await seeAll(await seenButGone(pool, mostAtOnce), "offline");
      await followHours();
      return 0;
    },
  });
  return {
    ...service,
    async run(signal) {
      await service.run(signal);
      // a process that ends in order has no pages any more: their users count as there for as long as any who went
      await renewLeases(pool, process, [...here.values(), ...went.values()], graceSeconds).catch(() => {});
    },
  };
}
