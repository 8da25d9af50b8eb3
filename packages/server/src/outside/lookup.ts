import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { nameResolver, type Resolve } from "./names.ts";
import { addressKind, rangeTest } from "./ranges.ts";

/** Why something was not reached, as an error that can travel through Node's sockets. */
export class NotPermitted extends Error {
  readonly code = "address_not_allowed";
}

/** Which addresses this process may connect to. */
export interface AddressGuard {
  /** Whether an IP address may be connected to: it is public, or in a range that the options allow. */
  permits(address: string): boolean;
  /**
   * For `net.connect`: resolves a name once and hands on only addresses that may be connected to, so that what was
   * checked is what is connected to, whatever the name says a moment later. Fails with `NotPermitted` when none is left.
   */
  readonly lookup: LookupFunction;
}

/** A guard that permits public addresses and those within `allowed` (addresses and CIDR ranges). */
export function addressGuard(allowed: readonly string[], resolve: Resolve = nameResolver()): AddressGuard {
  const isAllowed = rangeTest(allowed);
  const permits = (address: string): boolean => isAllowed(address) || addressKind(address) === "public";
  /** What there is to connect to, or why nothing is. */
  async function look(name: string, family: unknown): Promise<readonly LookupAddress[] | Error> {
    try {
      const permitted = (await resolve(name))
        .filter(({ address }) => permits(address))
        .map(({ address }) => ({ address, family: isIP(address) }))
        .filter((each) => (family === 4 || family === 6 ? each.family === family : true));
      return permitted.length > 0 ? permitted : new NotPermitted("No address of the name may be connected to");
    } catch (error) {
      return error as Error;
    }
  }
  async function answer(...[name, options, callback]: Parameters<LookupFunction>): Promise<void> {
    const found = await look(name, options.family);
    if (found instanceof Error) callback(found, "", 0);
    else if (options.all === true) callback(null, [...found]);
    else callback(null, (found[0] as LookupAddress).address, (found[0] as LookupAddress).family);
  }
  return { permits, lookup: (...given) => void answer(...given) };
}
