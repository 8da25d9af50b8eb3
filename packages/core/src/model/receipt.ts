import { Type } from "typebox";
import { IdSchema, InstantSchema, type Json, orNull } from "./common.ts";
import { personal, plain } from "./marks.ts";

const id = plain(Type.Optional(orNull(IdSchema)));
const flag = plain(Type.Optional(Type.Boolean()));

/** All that accepted commands answer with: a command's own answer is some of these, and `accept` takes no others. */
export const ResultSchema = Type.Object({
  customer: id,
  conversation: id,
  message: id,
  note: id,
  user: id,
  run: id,
  workflow: id,
  version: id,
  effect: id,
  parked: id,
  /** what was merged into what the answer names */
  merged: id,
  assignee: id,
  team: id,
  erased: plain(Type.Optional(Type.Array(IdSchema))),
  erase_pending: flag,
  changed: flag,
  created: flag,
  customer_created: flag,
  duplicate: flag,
  delivery: plain(Type.Optional(Type.String())),
  conversations: plain(Type.Optional(Type.Integer())),
  /** a property's name is anybody's words */
  name: personal(Type.Optional(Type.String())),
  before: personal(Type.Optional(Type.Unknown())),
  value: personal(Type.Optional(Type.Unknown())),
});
export type Result = { readonly [K in keyof (typeof ResultSchema)["properties"]]?: Json };

/** What a command was answered, kept for a while so that its caller hears the same on every retry. */
export const ReceiptSchema = Type.Object({
  id: plain(IdSchema),
  key: plain(orNull(Type.String({ description: "a hash of the client's own" }))),
  fingerprint: plain(orNull(Type.String({ description: "a hash of what the key was used for" }))),
  answer: Type.Object({
    ok: plain(Type.Boolean()),
    result: Type.Optional(ResultSchema),
    kind: plain(Type.Optional(Type.String())),
    code: plain(Type.Optional(Type.String())),
    message: personal(Type.Optional(Type.String())),
    path: personal(Type.Optional(Type.String())),
    customer: plain(Type.Optional(IdSchema)),
  }),
  at: plain(InstantSchema),
});
