import { Type } from "typebox";
import { type Id, IdSchema, type Instant, InstantSchema, type Json, orNull } from "./common.ts";
import { plain } from "./marks.ts";

/** A saved filter over customers: whoever it holds for now. */
export interface Segment {
  readonly id: Id;
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  /** a condition over `customer` and `assignee`, as workflows write them */
  readonly filter: Json;
  readonly archived_at: Instant | null;
}

/** A segment as the API shows it. */
export const SegmentSchema = Type.Object(
  {
    id: plain(IdSchema),
    slug: plain(Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,62}$" })),
    name: plain(Type.String({ minLength: 1, maxLength: 200 })),
    description: plain(orNull(Type.String({ maxLength: 1000 }))),
    filter: plain(Type.Unknown({ description: "a condition over `customer` and `assignee`, as workflows write them" })),
    archived_at: plain(orNull(InstantSchema)),
  },
  { title: "Segment" },
);
