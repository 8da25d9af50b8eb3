import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countedFor, networkOf, waitAfter } from "./attempts.ts";

describe("waiting", () => {
  const patience = { free: 5, mostSeconds: 900 };
  test.each([
    [0, 0],
    [4, 0],
    [5, 8],
    [6, 16],
    [11, 512],
    [12, 900],
    [1_000_000, 900],
  ])("after %i failures takes %i s", (failures, seconds) => expect(waitAfter(failures, patience)).toBe(seconds));

  test("never gets shorter by one more failure, nor longer than the most", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 50 }), fc.integer({ min: 8, max: 3600 }), (failures, free, mostSeconds) => {
        const [now, next] = [failures, failures + 1].map((n) => waitAfter(n, { free, mostSeconds })) as [
          number,
          number,
        ];
        return now <= next && next <= mostSeconds;
      }),
    );
  });
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2:ffff::", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("%s is of %s", (address, network) => expect(networkOf(address)).toBe(network));

test("a known browser is counted by itself alone", () => {
  expect(countedFor("a@x.test", "192.0.2.7", "d")).toEqual([{ kind: "device", of: "d a@x.test" }]);
  expect(countedFor("a@x.test", "192.0.2.7", null).map(({ kind }) => kind)).toEqual(["pair", "account", "address"]);
});
