import { BlockList, isIP } from "node:net";

/** Where an address leads. Only `public` ones are somebody else's machine on the open Internet. */
export type AddressKind =
  | "public"
  | "unspecified"
  | "loopback"
  | "private"
  | "shared"
  | "link_local"
  | "multicast"
  | "metadata"
  | "embedded"
  | "reserved";

/**
 * What the registries of special-purpose addresses (RFC 6890 and its followers) set aside, and the two places where
 * clouds keep credentials on addresses that look public. The first row that fits counts. `embedded` are IPv6 addresses that
 * carry an IPv4 address, which could be any of the others.
 */
export const specialRanges: readonly (readonly [range: string, kind: AddressKind])[] = [
  ["0.0.0.0/32", "unspecified"],
  ["0.0.0.0/8", "reserved"],
  ["10.0.0.0/8", "private"],
  ["100.100.100.200/32", "metadata"],
  ["100.64.0.0/10", "shared"],
  ["127.0.0.0/8", "loopback"],
  ["168.63.129.16/32", "metadata"],
  ["169.254.169.254/32", "metadata"],
  ["169.254.0.0/16", "link_local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.192/32", "metadata"],
  ["192.0.0.0/24", "reserved"],
  ["192.0.2.0/24", "reserved"],
  ["192.88.99.0/24", "reserved"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "reserved"],
  ["198.51.100.0/24", "reserved"],
  ["203.0.113.0/24", "reserved"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["::ffff:0:0/96", "embedded"],
  ["::/96", "embedded"],
  ["64:ff9b::/96", "embedded"],
  ["64:ff9b:1::/48", "embedded"],
  ["2001::/32", "embedded"],
  ["2001::/23", "reserved"],
  ["2001:db8::/32", "reserved"],
  ["2002::/16", "embedded"],
  ["3fff::/20", "reserved"],
  ["2000::/3", "public"],
  ["fd00:ec2::254/128", "metadata"],
  ["fd20:ce::254/128", "metadata"],
  ["fc00::/7", "private"],
  ["fe80::/10", "link_local"],
  ["fec0::/10", "private"],
  ["ff00::/8", "multicast"],
  // nothing else of IPv6 has been given out
  ["::/0", "reserved"],
];

/** Everything there is, for whoever switches the guard off. */
export const everyAddress: readonly string[] = Object.freeze(["0.0.0.0/0", "::/0"]);

/** Tells whether a text is an address within some ranges. IPv4 ranges hold no IPv6 address, and the other way round. */
export function rangeTest(ranges: readonly string[]): (address: string) => boolean {
  // one list a family: a list of both takes mapped addresses for IPv4 ones, and ::/0 for all of IPv4
  const lists = { 4: new BlockList(), 6: new BlockList() };
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const version = isIP(address) === 4 ? 4 : 6;
    lists[version].addSubnet(address, Number(bits ?? (version === 4 ? 32 : 128)), family(version));
  }
  return (address) => {
    const version = isIP(address);
    return (version === 4 || version === 6) && !address.includes("%") && lists[version].check(address, family(version));
  };
}

const family = (version: 4 | 6): "ipv4" | "ipv6" => (version === 4 ? "ipv4" : "ipv6");

const tests = specialRanges.map(([range, kind]) => ({ holds: rangeTest([range]), kind }));

/** The kind of an IP address; what is none, or has a zone (`fe80::1%eth0`), counts as reserved. */
export function addressKind(address: string): AddressKind {
  const found = tests.find(({ holds }) => holds(address));
  if (found !== undefined) return found.kind;
  return isIP(address) === 4 ? "public" : "reserved";
}
