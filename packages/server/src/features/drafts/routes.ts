import { IdSchema, InstantSchema, oneOf, orNull, refuse } from "@threadmill/core";
import type { Pool } from "pg";
import { type Static, Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { type Refused, type Route, route } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { readerOf } from "../conversations/own-routes.ts";

/** What somebody may be writing: a reply to the customer, or a note for colleagues. */
const kinds = ["reply", "note"] as const;
type Kind = (typeof kinds)[number];
const mostExtras = 20_000;

const text = Type.String({ maxLength: 65_536 });
const extras = orNull(
  Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), {
    description: "whatever the sending takes besides, such as channel, media, mentions: kept as it is",
  }),
);
const version = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "rises with each change; 0 where nothing is kept yet",
});
const DraftSchema = Type.Object(
  { conversation: IdSchema, kind: oneOf(kinds), version, text, extras, updated_at: orNull(InstantSchema) },
  { title: "Draft" },
);
type Draft = Static<typeof DraftSchema>;

interface Owner {
  readonly place: Place;
  readonly user: string;
  readonly conversation: string;
  readonly kind: Kind;
}

const keyOf = ({ place, user, conversation, kind }: Owner) => [
  place.lane,
  place.organization,
  user,
  conversation,
  kind,
];
const shown = "conversation, kind, version, text, extras, updated_at";

/** What is kept; a blank of version 0 where nothing is. */
async function readDraft(pool: Pool, owner: Owner): Promise<Draft> {
  const { rows } = await pool.query<Draft>(
    `select ${shown} from drafts where lane = $1 and organization = $2 and user_id = $3 and conversation = $4 and kind = $5`,
    keyOf(owner),
  );
  const { conversation, kind } = owner;
  return rows[0] ?? { conversation, kind, version: 0, text: "", extras: null, updated_at: null };
}

/** A version that no draft had before, also none that was thrown away. */
const fresh = "(extract(epoch from clock_timestamp()) * 1000)::bigint";

/** Nothing is kept any more of what is written to a customer who was erased. */
const notErased = `not exists (select from conversations c join customers u on u.lane = c.lane and u.organization = c.organization and u.id = c.customer
  where c.lane = $1 and c.organization = $2 and c.id = $4 and u.erased_at is not null)`;

/** Keeps a draft in the place of the version that its writer saw; null where another is there by now. */
async function writeDraft(
  pool: Pool,
  owner: Owner,
  { version: seen, text: words, extras: more }: Pick<Draft, "version" | "text" | "extras">,
): Promise<Draft | null> {
  const values = [...keyOf(owner), words, more === null ? null : JSON.stringify(more), seen];
  const { rows } = await pool.query<Draft>(
    seen === 0
      ? `insert into drafts (lane, organization, user_id, conversation, kind, version, text, extras, updated_at)
select $1, $2, $3, $4, $5, ${fresh} + $8::bigint, $6, $7, clock_timestamp() where ${notErased} on conflict do nothing returning ${shown}`
      : `update drafts set version = greatest(version + 1, ${fresh}), text = $6, extras = $7, updated_at = clock_timestamp()
where lane = $1 and organization = $2 and user_id = $3 and conversation = $4 and kind = $5 and version = $8 and ${notErased} returning ${shown}`,
    values,
  );
  return rows[0] ?? null;
}

async function dropDraft(pool: Pool, owner: Owner, seen: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    "delete from drafts where lane = $1 and organization = $2 and user_id = $3 and conversation = $4 and kind = $5 and version = $6",
    [...keyOf(owner), seen],
  );
  return rowCount === 1;
}

const changed = (): Refused =>
  refuse(
    "conflict",
    "draft_changed",
    "The draft was changed meanwhile, on another device or in another window; read it again",
    "/version",
  );

/** Routes of what a user is writing in a conversation: kept on the server, so that no device loses what another wrote. */
export function replyDraftRoutes({ pool }: Pick<AppPorts, "pool">): Route[] {
  const about = { tag: "Drafts", permission: "conversations.read" } as const;
  const params = Type.Object({ conversation: IdSchema, kind: oneOf(kinds) });
  const url = "/conversations/:conversation/drafts/:kind";
  return [
    route({
      ...about,
      method: "GET",
      url,
      summary: "Reads what you are writing in a conversation",
      params,
      answer: DraftSchema,
      async handle(call) {
        const reader = await readerOf(pool, call);
        return "ok" in reader ? reader : readDraft(pool, { ...call.params, ...reader, place: call.place });
      },
    }),
    route({
      ...about,
      method: "PUT",
      url,
      summary: "Keeps what you are writing in a conversation",
      description:
        "`version` is the one that you saw. Where another device changed the draft since, nothing is overwritten: 409 `draft_changed`.",
      params,
      body: Type.Object({ version, text, extras: Type.Optional(extras) }, { additionalProperties: false }),
      answer: DraftSchema,
      async handle(call) {
        const reader = await readerOf(pool, call);
        if ("ok" in reader) return reader;
        const { extras: more = null } = call.body;
        if (JSON.stringify(more).length > mostExtras)
          return refuse("invalid", "draft_too_large", `extras may take ${mostExtras} characters`, "/extras");
        const owner = { ...call.params, ...reader, place: call.place };
        const kept = await writeDraft(pool, owner, { ...call.body, extras: more });
        if (kept !== null) return kept;
        // nothing was written: another version is there, or the customer was erased
        const { version: there } = await readDraft(pool, owner);
        return there === call.body.version
          ? refuse("conflict", "customer_erased", "The customer's data was erased", "/text")
          : changed();
      },
    }),
    route({
      ...about,
      method: "POST",
      url: `${url}/discard`,
      summary: "Throws away what you were writing, when it was sent or is not wanted",
      params,
      body: Type.Object({ version }, { additionalProperties: false }),
      answer: DraftSchema,
      async handle(call) {
        const reader = await readerOf(pool, call);
        if ("ok" in reader) return reader;
        const owner = { ...call.params, ...reader, place: call.place };
        const dropped = await dropDraft(pool, owner, call.body.version);
        const left = await readDraft(pool, owner);
        return dropped || left.version === 0 ? left : changed();
      },
    }),
  ];
}
