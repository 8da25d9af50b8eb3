import { ConversationSchema, IdSchema, InstantSchema, type Json, oneOf, orNull, refuse } from "@threadmill/core";
import { sql } from "kysely";
import { type Static, Type } from "typebox";
import { filterSql } from "../../filters/filter.ts";
import { list, pageOf } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Refused, type Route, route } from "../../http/route.ts";
import { reachOf } from "../../rights/reach.ts";
import { shownColumns } from "../columns.ts";
import { countListed, listedUpTo, mostCounted } from "../listings/counts.ts";
import { narrow } from "../listings/narrow.ts";
import { behind, followedBy, listed, onlyWords, orders, sorts, unreadBy } from "../listings/query.ts";
import type { Tables } from "../tables.ts";
import { conversationFilter, findFolder } from "./find.ts";

const columns = shownColumns<Tables["conversations"]>(ConversationSchema);
const ListedSchema = Type.Object(
  {
    ...ConversationSchema.properties,
    unread: Type.Boolean({ description: "whether the customer wrote after you last looked" }),
    followed: Type.Boolean({ description: "whether you follow it" }),
  },
  { title: "ListedConversation" },
);
const SpotSchema = Type.Tuple([orNull(InstantSchema), IdSchema]);
/** Conversations among which those are looked for for which a filter cannot be decided. */
const lookedThrough = 10_000;

/** Routes that list the conversations of a folder or a filter. */
export function folderConversationRoutes({ pool, db, clock }: Pick<AppPorts, "pool" | "db" | "clock">): Route[] {
  const about = { tag: "Folders", permission: "conversations.read" } as const;
  return [
    list({
      ...about,
      url: "/folders/:folder/conversations",
      summary: "Lists the conversations of a folder",
      description:
        "In the folder's order or another. What a page shows is true now; what has come to belong there since `as_of` follows. A row for which the filter cannot be decided is not shown: `POST /filters/check` tells of such.",
      params: Type.Object({ folder: Type.String({ maxLength: 64, description: "id, or the word of a built-in one" }) }),
      query: {
        sort: Type.Optional(oneOf(sorts, "the folder's own when left out")),
        only: Type.Optional(oneOf(onlyWords)),
        filter: Type.Optional(
          Type.String({ maxLength: 65_536, description: "a condition as JSON that must hold as well" }),
        ),
      },
      item: ListedSchema,
      title: "FolderPage",
      asOf: true,
      spot: SpotSchema,
      async read(call, page) {
        const { place, params, query } = call;
        const { user } = call.caller;
        const [settings, reach] = await Promise.all([call.settings(), reachOf(call)]);
        const folder = await findFolder(pool, place, params.folder, settings, user);
        if (folder === null) return refuse("not_found", "folder_not_found", "There is no such folder");
        const more = query.filter === undefined ? null : parsed(query.filter);
        if (more !== null && "ok" in more) return more;
        const who = { user, at: clock.now(), path: "/filter" };
        const filters = [folder.filter, ...(more === null ? [] : [more.json])];
        const filter = conversationFilter({ all: filters }, settings, who);
        if ("ok" in filter) return filter;
        const sort = query.sort ?? folder.sort;
        const { by, key } = orders[sort];
        const from = listed({
          place,
          reach,
          user,
          filter,
          only: [folder.only, query.only].flatMap((word) => word ?? []),
        });
        const after = page.after === undefined ? sql`` : sql` and ${behind(sort, page.after)}`;
        const [as_of, { rows }] = await Promise.all([
          listedUpTo(db, place.lane),
          sql<Row>`select ${sql.join(columns.map((name) => sql.ref(`c.${name}`)))},
  ${unreadBy(user)} as unread, ${followedBy(user)} as followed, ${key} as sort_key
from (select l.* ${from}${after} order by ${by} limit ${page.rows}) l
join conversations c on c.lane = l.lane and c.organization = l.organization and c.id = l.id order by ${by}`.execute(db),
        ]);
        const read = pageOf<Row, Static<typeof SpotSchema>>(
          rows,
          page,
          (row) => [row.sort_key, row.id],
          ({ sort_key: _, ...row }) => row,
        );
        return { ...read, as_of };
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/filters/check",
      summary: "Tells what a filter finds, how, and what is wrong with it",
      body: Type.Object(
        { filter: Type.Unknown({ description: "a condition over conversations" }) },
        { additionalProperties: false },
      ),
      answer: Type.Object(
        {
          index: orNull(Type.String({ description: "the index that finds its conversations" })),
          found_by: Type.String(),
          count: Type.Integer(),
          more: Type.Boolean({ description: "whether there are more than were counted" }),
          undecided: Type.Integer({
            description: `conversations for which it cannot be decided, such as a word where a number is asked for, among the ${lookedThrough} newest; they are in no list`,
          }),
        },
        { title: "FilterCheck" },
      ),
      async handle(call) {
        const { user } = call.caller;
        const [settings, reach] = await Promise.all([call.settings(), reachOf(call)]);
        const filter = conversationFilter(call.body.filter as Json, settings, {
          user,
          at: clock.now(),
          path: "/filter",
        });
        if ("ok" in filter) return filter;
        const counted = await countListed(db, { place: call.place, reach, user, filter, only: [] });
        const { undecided } = filterSql(filter, "c");
        const { index, sentence } = narrow(filter).index;
        let faults = 0;
        if (undecided !== null) {
          const wanted = { place: call.place, reach, user, filter: null, only: [] };
          const { rows } = await sql<{ count: number }>`select count(*) as count from (
            select 1 from (select l.* ${listed(wanted)} order by l.id desc limit ${lookedThrough}) l
            join conversations c on c.lane = l.lane and c.organization = l.organization and c.id = l.id where ${undecided} limit ${mostCounted}) one`.execute(
            db,
          );
          faults = rows[0]?.count ?? 0;
        }
        return { index, found_by: sentence, ...counted, undecided: faults };
      },
    }),
  ];
}

interface Row {
  readonly id: string;
  readonly sort_key: string | null;
}

function parsed(text: string): { readonly json: Json } | Refused {
  try {
    return { json: JSON.parse(text) as Json };
  } catch {
    return refuse("invalid", "filter_invalid", "The filter is no JSON", "/filter");
  }
}
