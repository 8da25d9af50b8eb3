import { duplicates } from "../features/customers/duplicates.ts";
import { dailyCounts } from "../features/stats/daily-counts.ts";
import { listings } from "../features/listings/listings.ts";
import { mentions } from "../features/listings/mentions.ts";
import { absences } from "../features/users/absences.ts";
import type { Follower } from "./follower.ts";

/** Every follower of the log. A new one begins with the oldest row that is kept. */
export const followers: readonly Follower[] = [dailyCounts, duplicates, listings, mentions, absences];
