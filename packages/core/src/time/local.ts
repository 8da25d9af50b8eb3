import { dateText, dayMs } from "./civil.ts";
import { type Instant, toMs } from "./instant.ts";
import { localMs } from "./zone.ts";

/** The date that a zone's clocks show at an instant: "2026-11-20". Throws RangeError for an unknown zone. */
export const localDay = (at: Instant, zone: string): string => dateText(Math.floor(localMs(zone, toMs(at)) / dayMs));
