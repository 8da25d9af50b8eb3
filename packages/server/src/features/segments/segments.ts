import { type Segment, SegmentSchema } from "@threadmill/core";
import { customerFilter } from "../customers/filter.ts";
import { resource } from "../settings/resource.ts";
import { settingsIn } from "../workflows/settings-in.ts";

const { slug, name, description, filter } = SegmentSchema.properties;

/** Saved filters over customers, for all who may read these. */
export const segments = resource<Segment>({
  noun: "segment",
  plural: "segments",
  shape: SegmentSchema,
  create: { slug, name, description, filter },
  update: { slug, name, description, filter },
  defaults: { description: null },
  unique: ["slug"],
  json: ["filter"],
  slugged: true,
  async check(row, { tx, place, at }) {
    const settings = await settingsIn(tx, place);
    if (settings === null) return null;
    const read = customerFilter(row.filter, { settings, at, user: null });
    return "ok" in read ? read : null;
  },
});
