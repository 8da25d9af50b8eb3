import { Type } from "typebox";
import { IdSchema, InstantSchema, orNull } from "./common.ts";
import { derived, personal, plain } from "./marks.ts";

/** A job as it is kept: work on many things (DESIGN section 14). What was asked for may hold words of customers. */
export const JobSchema = Type.Object({
  id: plain(IdSchema),
  kind: plain(Type.String()),
  parameters: personal(Type.Unknown(), {}),
  actor: plain(Type.Unknown()),
  key: plain(orNull(Type.String())),
  fingerprint: plain(orNull(Type.String())),
  state: plain(Type.String()),
  cursor: derived(Type.Unknown()),
  slice: derived(Type.Unknown()),
  slice_at: derived(orNull(InstantSchema)),
  total: derived(orNull(Type.Integer())),
  done: derived(Type.Integer()),
  refused: derived(Type.Integer()),
  result: derived(Type.Unknown()),
  failure: derived(Type.Unknown()),
  failures: derived(Type.Integer()),
  due_at: derived(InstantSchema),
  holder: derived(orNull(IdSchema)),
  lease_until: derived(orNull(InstantSchema)),
  created_at: plain(InstantSchema),
  started_at: derived(orNull(InstantSchema)),
  finished_at: derived(orNull(InstantSchema)),
  expires_at: derived(orNull(InstantSchema)),
});

/** One thing that a job was refused. */
export const JobRefusalSchema = Type.Object({
  job: plain(IdSchema),
  number: plain(Type.Integer()),
  item: personal(Type.String()),
  code: plain(Type.String()),
  message: personal(Type.String()),
  path: plain(orNull(Type.String())),
  detail: personal(orNull(Type.Unknown())),
});

/** A file that a job reads or wrote. */
export const JobFileSchema = Type.Object({
  id: plain(IdSchema),
  job: plain(orNull(IdSchema)),
  name: personal(Type.String()),
  media_type: plain(Type.String()),
  bytes: derived(Type.Integer()),
  complete: plain(Type.Boolean()),
  facts: personal(Type.Unknown(), {}),
  created_by: plain(orNull(IdSchema)),
  created_at: plain(InstantSchema),
  expires_at: plain(InstantSchema),
});

/** What stands in such a file. */
export const JobFilePartSchema = Type.Object({
  file: plain(IdSchema),
  place: derived(Type.Integer()),
  bytes: personal(Type.Unknown()),
});
