import { type Key, Ledger, Missing } from "@threadmill/core";
import type { Pool } from "pg";
import { transaction } from "../db/transaction.ts";
import { load, LoadedWorld } from "./loader.ts";
import type { Place } from "./port.ts";

/** A look that asks for more in so many rounds asks for something that nobody loads. */
const mostRounds = 20;

/**
 * Lets a pure function look at an organization's rows as they stand at one moment, without the lane: what it lacks is
 * loaded as for a batch, and it is asked again. Nothing is written, whatever it does to the ledger.
 */
export function lookAt<T>(pool: Pool, place: Place, look: (ledger: Ledger) => T): Promise<T> {
  return transaction(
    pool,
    async (client) => {
      const world = new LoadedWorld(place);
      for (let n = 0; n < mostRounds; n += 1) {
        const found = asked(() => look(new Ledger(world)));
        if ("value" in found) return found.value;
        await load(client, new Map([[world, found.missing]]));
      }
      throw new Error("What a look asked for could not be loaded");
    },
    { begin: "begin isolation level repeatable read read only" },
  );
}

function asked<T>(look: () => T): { readonly value: T } | { readonly missing: readonly Key[] } {
  try {
    return { value: look() };
  } catch (error) {
    if (error instanceof Missing) return { missing: error.keys };
    throw error;
  }
}
