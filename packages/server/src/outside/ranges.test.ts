import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AddressKind, addressKind, everyAddress, rangeTest, specialRanges } from "./ranges.ts";

/** First and last address of every range that is not public, and its neighbours where those are public. */
const table: readonly (readonly [AddressKind, readonly string[]])[] = [
  ["unspecified", ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"]],
  ["private", ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"]],
  ["private", ["fc00::", "fc00::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::", "feff::1"]],
  ["loopback", ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1"]],
  ["shared", ["100.64.0.0", "100.127.255.255"]],
  ["link_local", ["169.254.0.0", "169.254.255.255", "fe80::", "febf:ffff::1"]],
  ["multicast", ["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]],
  ["metadata", ["169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"]],
  ["metadata", ["fd20:ce::254"]],
  ["embedded", ["::ffff:0.0.0.0", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::ffff:7f00:1", "::FFFF:A00:1"]],
  ["embedded", ["::127.0.0.1", "::8.8.8.8", "64:ff9b::", "64:ff9b::127.0.0.1", "64:ff9b::808:808"]],
  ["embedded", ["64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:0:ffff::1"]],
  ["embedded", ["2002::", "2002:7f00:1::1", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]],
  ["reserved", ["0.0.0.1", "0.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255"]],
  ["reserved", ["192.88.99.0", "192.88.99.255", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255"]],
  ["reserved", ["203.0.113.0", "203.0.113.255", "240.0.0.0", "255.255.255.254", "255.255.255.255"]],
  ["reserved", ["2001:1::1", "2001:1ff:ffff::1", "2001:db8::", "2001:db8:ffff::1", "3fff::", "3fff:fff:ffff::1"]],
  ["reserved", ["100::", "64:ff9c::1", "1fff:ffff::1", "4000::", "5f00::1", "fbff::1", "fe00::1", "fe7f::1"]],
  ["reserved", ["", "localhost", "127.1", "0x7f000001", "fe80::1%eth0", "2606:4700::1%1", "1.1.1.1/32"]],
  ["public", ["1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"]],
  ["public", ["126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0"]],
  ["public", ["172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255"]],
  ["public", ["192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255"]],
  ["public", ["198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"]],
  ["public", ["2000::", "2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2003::1"]],
  ["public", ["2606:4700::1111", "2a00:1450::1", "3ffe::1", "3fff:1000::1"]],
];

test.each(table.flatMap(([kind, addresses]) => addresses.map((address) => [address, kind] as const)))(
  "%s is %s",
  (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  },
);

test("every range of the table is tried above", () => {
  const tried = table.flatMap(([, addresses]) => addresses);
  for (const [range] of specialRanges) expect([range, tried.some(rangeTest([range]))]).toEqual([range, true]);
});

test("an IPv6 address that carries an IPv4 address never counts as public", () => {
  fc.assert(
    fc.property(
      fc.ipV4(),
      fc.constantFrom("::ffff:", "::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:"),
      (inner, prefix) => {
        expect(addressKind(prefix + inner)).not.toBe("public");
      },
    ),
  );
});

describe("ranges", () => {
  test("hold their own family alone", () => {
    const [v4, v6] = everyAddress as [string, string];
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(rangeTest([v4])(address)).toBe(isIPv4(address));
        expect(rangeTest([v6])(address)).toBe(isIPv6(address));
        expect(rangeTest(everyAddress)(address)).toBe(true);
        expect(rangeTest([])(address)).toBe(false);
      }),
    );
  });

  test("without bits are one address", () => {
    const one = rangeTest(["10.0.0.1", "::1"]);
    expect(["10.0.0.1", "10.0.0.2", "::1", "::2", "::ffff:10.0.0.1"].map(one)).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });
});
