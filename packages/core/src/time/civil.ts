/** Milliseconds of a day of 24 hours. */
export const dayMs = 86_400_000;

/**
 * Number of the day of a date of the Gregorian calendar, counted from 1970-01-01; years 1 to 9999. `month` counts from 1.
 * Years are counted from March, so that the leap day comes last and needs no case of its own.
 */
export function dayNumber(year: number, month: number, day: number): number {
  const y = month < 3 ? year - 1 : year;
  const m = month < 3 ? month + 9 : month - 3;
  return 365 * y + (y >> 2) - ((y / 100) | 0) + ((y / 400) | 0) + (((153 * m + 2) / 5) | 0) + day - 719_469;
}

/** Days of a month, counted from 1. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Two digits. */
export const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`);

const three = (n: number): string => (n < 10 ? `00${n}` : n < 100 ? `0${n}` : `${n}`);

/** A numbered day as text: "2026-11-20". Years 1 to 9999. */
export function dateText(day: number): string {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const m = ((5 * dayOfYear + 2) / 153) | 0;
  const date = dayOfYear - (((153 * m + 2) / 5) | 0) + 1;
  const year = yearOfEra + era * 400 + (m > 9 ? 1 : 0);
  return `${two((year / 100) | 0)}${two(year % 100)}-${two(m > 9 ? m - 9 : m + 3)}-${two(date)}`;
}

/** The number of the day that "YYYY-MM-DD" names, or null when there is no such day. Years 1 to 9999. */
export function parseDate(text: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!match) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const real = year > 0 && month > 0 && month < 13 && day > 0 && day <= daysInMonth(year, month);
  return real ? dayNumber(year, month, day) : null;
}

/** Time of day of a number of milliseconds since midnight (0 to 86,399,999): "17:00:00.000". */
export function timeText(ms: number): string {
  const seconds = (ms / 1000) | 0;
  const minutes = (seconds / 60) | 0;
  return `${two((minutes / 60) | 0)}:${two(minutes % 60)}:${two(seconds % 60)}.${three(ms % 1000)}`;
}
