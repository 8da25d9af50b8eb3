import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dateText, dayNumber, daysInMonth, parseDate } from "./civil.ts";
import { addMs, fromMs, isInstant, later, toMs } from "./instant.ts";

const anyMs = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
const iso = (ms: number) => new Date(ms).toISOString();

describe("instants", () => {
  test("are read and written as Date does", () => {
    fc.assert(
      fc.property(anyMs, (ms) => {
        expect(fromMs(ms)).toBe(iso(ms));
        expect(toMs(iso(ms))).toBe(ms);
        expect(isInstant(iso(ms))).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  test("at the edges of what the form can say", () => {
    for (const text of [
      "0001-01-01T00:00:00.000Z",
      "9999-12-31T23:59:59.999Z",
      "2024-02-29T23:59:59.999Z",
      "2000-02-29T00:00:00.000Z",
    ]) {
      expect(fromMs(toMs(text))).toBe(text);
    }
    for (const ms of [-62_135_596_800_001, 253_402_300_800_000, NaN, Infinity])
      expect(() => fromMs(ms)).toThrow(RangeError);
    expect(fromMs(1.9)).toBe("1970-01-01T00:00:00.001Z");
    expect(fromMs(-0.1)).toBe("1969-12-31T23:59:59.999Z");
  });

  test("other forms with an offset are understood, forms without one are not", () => {
    const noon = toMs("2026-11-20T12:00:00.000Z");
    for (const text of [
      "2026-11-20T12:00:00Z",
      "2026-11-20T12:00Z",
      "2026-11-20T14:00:00.000+02:00",
      "2026-11-20T04:30:00-07:30",
    ]) {
      expect(toMs(text)).toBe(noon);
      expect(isInstant(text)).toBe(false);
    }
    for (const text of [
      "2026-11-20T12:00:00",
      "2026-11-20",
      "20 Nov 2026 12:00 Z",
      "",
      "x",
      "2026-02-30T00:00:00Z",
      "2026-13-01T00:00:00Z",
    ]) {
      expect(() => toMs(text)).toThrow(RangeError);
    }
  });

  test("what is out of range or malformed is none", () => {
    const good = "2026-11-20T17:30:15.123Z";
    expect(isInstant(good)).toBe(true);
    for (let at = 0; at < good.length; at++) {
      for (const wrong of ["x", "/", ":"]) {
        if (good[at] === wrong) continue;
        const text = good.slice(0, at) + wrong + good.slice(at + 1);
        expect([text, isInstant(text)]).toEqual([text, false]);
        expect(() => toMs(text)).toThrow(RangeError);
      }
    }
    for (const text of [
      "0000-01-01T00:00:00.000Z",
      "2026-00-20T17:30:15.123Z",
      "2026-13-20T17:30:15.123Z",
      "2026-11-00T17:30:15.123Z",
      "2026-11-31T17:30:15.123Z",
      "2026-02-29T17:30:15.123Z",
      "1900-02-29T17:30:15.123Z",
      "2026-11-20T24:00:00.000Z",
      "2026-11-20T23:60:00.000Z",
      "2026-11-20T23:00:60.000Z",
    ]) {
      expect([text, isInstant(text)]).toEqual([text, false]);
    }
    expect(isInstant(12)).toBe(false);
    expect(isInstant(null)).toBe(false);
  });

  test("compare as text", () => {
    fc.assert(
      fc.property(anyMs, anyMs, (a, b) => {
        expect(later(fromMs(a), fromMs(b))).toBe(fromMs(Math.max(a, b)));
      }),
    );
  });

  test("add", () => {
    expect(addMs("2026-12-31T23:59:59.999Z", 1)).toBe("2027-01-01T00:00:00.000Z");
    expect(addMs("2024-03-01T00:00:00.000Z", -86_400_000)).toBe("2024-02-29T00:00:00.000Z");
  });
});

describe("dates", () => {
  test("are numbered as Date numbers them", () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_162, max: 2_932_896 }), (day) => {
        const text = iso(day * 86_400_000).slice(0, 10);
        expect(dateText(day)).toBe(text);
        expect(parseDate(text)).toBe(day);
        const [year = 0, month = 0, date = 0] = text.split("-").map(Number);
        expect(dayNumber(year, month, date)).toBe(day);
        expect(daysInMonth(year, month)).toBe(
          new Date(Date.UTC(2000, month, 0)).getUTCDate() - (month === 2 && !leap(year) ? 1 : 0),
        );
      }),
      { numRuns: 3000 },
    );
  });

  test("that do not exist are null", () => {
    for (const text of [
      "2026-02-29",
      "2026-00-10",
      "2026-13-10",
      "2026-01-00",
      "2026-04-31",
      "0000-01-01",
      "26-1-1",
      "2026-01-01x",
      "",
    ]) {
      expect([text, parseDate(text)]).toEqual([text, null]);
    }
  });
});

const leap = (year: number) => new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;
