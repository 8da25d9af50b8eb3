import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testId } from "../testing/settings.ts";
import { fromMs } from "../time/instant.ts";
import { firstIdAt, idInstant, isId, mintId, rootSeed } from "./id.ts";

const at = "2026-11-20T17:00:00.123Z";
const seed = rootSeed("org", "root");
const anyMs = fc.integer({ min: 0, max: 253_402_300_799_999 });
const uint32 = fc.nat(0xffffffff);

describe("ids", () => {
  test("are UUIDv7 that tell their instant", () => {
    fc.assert(
      fc.property(anyMs, fc.tuple(uint32, uint32, uint32, uint32), uint32, (ms, anySeed, n) => {
        const instant = fromMs(ms);
        const id = mintId(instant, anySeed, n);
        expect(isId(id)).toBe(true);
        expect(idInstant(id)).toBe(instant);
        expect(mintId(instant, anySeed, n)).toBe(id);
        expect(firstIdAt(instant) <= id).toBe(true);
        expect(id < firstIdAt(fromMs(Math.min(ms + 1, 253_402_300_799_999))) || ms === 253_402_300_799_999).toBe(true);
      }),
    );
  });

  test("never change", () => {
    expect(rootSeed("org", "root")).toEqual([0x40fc821b, 0x2c6d7e89, 0x6f2d3167, 0x3273630e]);
    expect(mintId(at, seed, 0)).toBe("01a1f9e6-92fb-78a8-a78b-4cdd5c60040b");
    expect(mintId(at, seed, 1)).toBe("01a1f9e6-92fb-7e0c-93a2-d62be59e6c9e");
    expect(firstIdAt(at)).toBe("01a1f9e6-92fb-7000-8000-000000000000");
  });

  test("differ over a million n of a seed", () => {
    // the last twelve digits hold the bits that n goes through undoably; numbers sort faster than a set of texts fills
    const seen = new Float64Array(1_000_000);
    for (let n = 0; n < seen.length; n++) seen[n] = Number.parseInt(mintId(at, seed, n).slice(24), 16);
    seen.sort();
    let equal = 0;
    for (let n = 1; n < seen.length; n++) if (seen[n] === seen[n - 1]) equal += 1;
    expect(equal).toBe(0);
  }, 60_000);

  test("differ over seeds", () => {
    const seen = new Set<string>();
    for (let root = 0; root < 5000; root++) {
      const each = rootSeed("org", `root ${root}`);
      for (let n = 0; n < 100; n++) seen.add(mintId(at, each, n));
    }
    expect(seen.size).toBe(500_000);
  }, 60_000);

  test("differ over commands whose ids are numbered one after the other", () => {
    const seen = new Set<string>();
    for (let command = 0; command < 1000; command++) {
      const each = rootSeed(testId(1), testId(10_000 + command));
      for (let n = 0; n < 16; n++) seen.add(mintId(at, each, n));
    }
    expect(seen.size).toBe(16_000);
  });

  test("every one of the 74 bits is used and even, and every bit of the seed counts", () => {
    const ones = Array.from({ length: 128 }, () => 0);
    const bits = (id: string) =>
      BigInt(`0x${id.replaceAll("-", "")}`)
        .toString(2)
        .padStart(128, "0");
    for (let n = 0; n < 4000; n++) [...bits(mintId(at, seed, n))].forEach((bit, k) => (ones[k]! += Number(bit)));
    const fixed = [48, 49, 50, 51, 64, 65];
    for (let k = 48; k < 128; k++) {
      if (fixed.includes(k)) continue;
      expect([k, Math.abs(ones[k]! - 2000) < 200]).toEqual([k, true]);
    }
    for (let word = 0; word < 4; word++) {
      for (let bit = 0; bit < 32; bit++) {
        const other = seed.map((value, k) => (k === word ? (value ^ (1 << bit)) >>> 0 : value)) as [
          number,
          number,
          number,
          number,
        ];
        const equal = Array.from({ length: 16 }, (_, n) => mintId(at, other, n) === mintId(at, seed, n)).filter(
          Boolean,
        );
        expect(equal.length).toBe(0);
      }
    }
  });

  test("seeds differ where organization or root do, and by where one ends", () => {
    expect(rootSeed("org", "root2")).not.toEqual(seed);
    expect(rootSeed("org2", "root")).not.toEqual(seed);
    expect(rootSeed("orgr", "oot")).not.toEqual(seed);
  });

  test("what is none", () => {
    const id = mintId(at, seed, 7);
    for (const text of [
      id.toUpperCase(),
      id.replaceAll("-", ""),
      `${id}0`,
      id.replace("-7", "-4"),
      `${id.slice(0, 19)}c${id.slice(20)}`,
      "",
      7,
      null,
    ]) {
      expect(isId(text)).toBe(false);
    }
    expect(() => idInstant("x")).toThrow(RangeError);
    for (const n of [-1, 0.5, 2 ** 32, NaN]) expect(() => mintId(at, seed, n)).toThrow(RangeError);
    expect(() => firstIdAt("1969-12-31T23:59:59.999Z")).toThrow(RangeError);
  });
});
