import { lookup as systemLookup, Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { systemCode } from "../db/fault.ts";
import { gate } from "../lanes/gate.ts";

/** The addresses of a name. Throws when there are none, or when nobody tells. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string }[]>;

/** Where addresses are looked up; whatever is left out is the machine's own. */
export interface NameSources {
  /** name servers, as `address:port` */
  readonly servers?: readonly string[];
  /** the text of the hosts file */
  readonly hosts?: () => Promise<string>;
  /** the system's own look-up, which occupies one of the few threads that all look-ups and files of the process share */
  readonly system?: Resolve;
}

/** For as long as a connection may take to stand somebody waits for an answer, and no longer. */
const patienceMs = 5000;

const hostsPath =
  process.platform === "win32"
    ? join(process.env["SystemRoot"] ?? "C:\\Windows", "System32", "drivers", "etc", "hosts")
    : "/etc/hosts";
const hostsFile = (): Promise<string> => readFile(hostsPath, "utf8").catch(() => "");
const systemNames: Resolve = (name) => systemLookup(name, { all: true, order: "verbatim" });

/**
 * Looks names up as the system does, but without its threads: the system's own look-up holds one for as long as a name
 * server keeps silent, and has two of them, so that a few names of which nobody answers would keep every other name of
 * every organization waiting. The hosts file goes first, then the name servers are asked; what they do not know, and names
 * without a dot, are left to the system (it knows of other sources), one at a time, so that one thread stays free.
 */
export function nameResolver({ servers, hosts = hostsFile, system = systemNames }: NameSources = {}): Resolve {
  const resolver = new Resolver({ timeout: 1500, tries: 2 });
  if (servers !== undefined) resolver.setServers([...servers]);
  const turns = gate(1);

  async function bySystem(name: string): ReturnType<Resolve> {
    const since = performance.now();
    const leave = await turns.enter();
    try {
      // nobody waits for it any more
      if (performance.now() - since > patienceMs) throw Object.assign(new Error("too late"), { code: "ETIMEOUT" });
      return await system(name);
    } finally {
      leave();
    }
  }

  return async (name) => {
    const listed = addressesIn(await hosts(), name);
    if (listed.length > 0) return listed.map((address) => ({ address }));
    const bare = name.replace(/\.$/, "");
    if (!bare.includes(".") || bare.endsWith(".localhost")) return bySystem(name);
    const asked = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = asked.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    if (found.length > 0) return found.map((address) => ({ address }));
    const [failure] = asked.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
    // a server that keeps silent would keep the system waiting as well
    if (systemCode(failure) === "ETIMEOUT") throw failure;
    return bySystem(name);
  };
}

/** The addresses that a hosts file has for a name. */
function addressesIn(hosts: string, name: string): string[] {
  const wanted = name.toLowerCase();
  return hosts.split("\n").flatMap((line) => {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    return isIP(address) !== 0 && names.some((each) => each.toLowerCase() === wanted) ? [address] : [];
  });
}
