import { type Static, Type } from "typebox";

/** The names of the days as calendars use them; Monday first. */
export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof weekdays)[number];

// a plain array of two, as JSON Schema's own form of tuples differs between its versions
const Interval = Type.Unsafe<[string, string]>(
  Type.Array(Type.String({ maxLength: 5 }), {
    minItems: 2,
    maxItems: 2,
    description:
      'opening and closing, "HH:MM" by the local clock; closing at or before opening is on the next day; "24:00" closes at midnight',
  }),
);
const Intervals = Type.Optional(Type.Array(Interval, { maxItems: 24 }));

/** The shape of a business calendar; what a shape cannot say, `validateCalendar` does. */
export const BusinessCalendarSchema = Type.Object(
  {
    zone: Type.String({ minLength: 1, maxLength: 64, description: 'time zone, as "America/New_York"' }),
    hours: Type.Object(
      {
        mon: Intervals,
        tue: Intervals,
        wed: Intervals,
        thu: Intervals,
        fri: Intervals,
        sat: Intervals,
        sun: Intervals,
      },
      { additionalProperties: false },
    ),
    holidays: Type.Array(
      Type.Object(
        { date: Type.String({ maxLength: 10, description: "YYYY-MM-DD" }), name: Type.String({ maxLength: 200 }) },
        { additionalProperties: false },
      ),
      { maxItems: 1000, description: "dates on which nothing opens; a shift begun the evening before runs to its end" },
    ),
  },
  { additionalProperties: false },
);

/**
 * When an organization works. An interval belongs to the weekday on which it starts, also where it crosses midnight. It
 * lasts from the first moment at which the local clock shows its opening to the first at which it shows its closing or
 * later; so an hour repeated in autumn opens or closes nothing twice, and one skipped in spring is simply not there.
 * Values are immutable: what is worked out from one is remembered as long as it lives.
 */
export type BusinessCalendar = Static<typeof BusinessCalendarSchema>;
