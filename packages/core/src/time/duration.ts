/**
 * A length of time as people give it. Days are kept apart from seconds, because in business time "1d" is an open day and
 * "24h" is 24 hours of opening.
 */
export interface Duration {
  readonly days: number;
  readonly seconds: number;
}

/** Why a text is no duration. */
export type DurationProblemCode = "duration_invalid" | "duration_too_short" | "duration_too_long";

export type DurationAnswer =
  | { readonly ok: true; readonly duration: Duration }
  | { readonly ok: false; readonly code: DurationProblemCode; readonly message: string };

const daySeconds = 86_400;
const longestDays = 366;

/** Largest unit first, each at most once; the ISO form has no months or years, whose length varies. */
const plainForm = /^(?:(\d{1,9})w)? ?(?:(\d{1,9})d)? ?(?:(\d{1,9})h)? ?(?:(\d{1,9})m)? ?(?:(\d{1,9})s)?$/;
const isoForm = /^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/;

/**
 * Reads "90s", "30m", "2h", "1d", "1w", "1h30m" or "PT2H". A week is seven days, also in business time, where it means
 * seven open days. Refuses less than a second and more than 366 days.
 */
export function parseDuration(text: string): DurationAnswer {
  const match = plainForm.exec(text.trim()) ?? isoForm.exec(text.trim());
  const parts = match?.slice(1) ?? [];
  if (!parts.some((part) => part !== undefined)) {
    return problem("duration_invalid", 'write a duration as "90s", "30m", "2h", "1d", "1w", "1h30m" or "PT2H"');
  }
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0));
  const duration: Duration = { days: weeks * 7 + days, seconds: hours * 3600 + minutes * 60 + seconds };
  const total = plainSeconds(duration);
  if (total < 1) return problem("duration_too_short", "a duration lasts at least one second");
  if (total > longestDays * daySeconds)
    return problem("duration_too_long", `a duration lasts at most ${longestDays} days`);
  return { ok: true, duration };
}

/** Length in seconds by the plain clock, where a day has 24 hours. */
export const plainSeconds = (duration: Duration): number => duration.days * daySeconds + duration.seconds;

/** Short text of a duration, which `parseDuration` reads back to the same: "1d2h30m". Hours are never made into days. */
export function formatDuration(duration: Duration): string {
  const { days, seconds } = duration;
  const parts: readonly (readonly [number, string])[] = [
    [days, "d"],
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ];
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`);
  return shown.length === 0 ? "0s" : shown.join("");
}

function problem(code: DurationProblemCode, message: string): DurationAnswer {
  return { ok: false, code, message };
}
