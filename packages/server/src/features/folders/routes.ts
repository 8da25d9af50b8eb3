import { IdSchema, InstantSchema, type Json, oneOf, orNull, refuse, type SettingsIndex } from "@threadmill/core";
import { type Static, Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { callerMay, userOf } from "../../http/rights.ts";
import { type Call, type Refused, type Route, route } from "../../http/route.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import { reachOf } from "../../rights/reach.ts";
import { countLists, listedUpTo } from "../listings/counts.ts";
import { narrow } from "../listings/narrow.ts";
import { onlyWords, sorts, type Wanted } from "../listings/query.ts";
import { builtInFolders, type Folder } from "./built-in.ts";
import { conversationFilter, teamsOf } from "./find.ts";
import { deleteFolder, insertFolder, mostFolders, readFolder, readFolders, updateFolder } from "./store.ts";

const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  icon: orNull(Type.String({ minLength: 1, maxLength: 64 })),
  position: Type.Integer({ minimum: 0, maximum: 1_000_000, description: "folders of one kind are shown in its order" }),
  filter: Type.Unknown({ description: "a condition over conversations, as workflows have them" }),
  only: orNull(oneOf(onlyWords, "what whoever looks has to do with the conversations")),
  sort: oneOf(sorts),
};
const shared = Type.Boolean({ description: "everybody's; else it is your own" });
const FolderSchema = Type.Object(
  {
    id: Type.String({ description: "an id, or the word of a folder that every organization has" }),
    built_in: Type.Boolean(),
    shared,
    ...fields,
    index: orNull(Type.String({ description: "the index that finds its conversations" })),
    found_by: Type.String({ description: "how they are found, or what to ask for so that an index finds them" }),
    problems: Type.Array(Type.Object({ code: Type.String(), path: Type.String(), message: Type.String() }), {
      description: "what of its filter means nothing any more; it then has no conversations",
    }),
  },
  { title: "Folder" },
);
const CountSchema = Type.Object({
  folder: Type.String(),
  count: Type.Integer({ minimum: 0 }),
  more: Type.Boolean({ description: "whether there are more than were counted" }),
});

/** Routes of folders: lists of conversations that are saved as filters, and their counts. */
export function folderRoutes({ pool, db, clock }: Pick<AppPorts, "pool" | "db" | "clock">): Route[] {
  const about = { tag: "Folders", permission: "conversations.read" } as const;
  const params = Type.Object({ folder: IdSchema });
  const byUser = async (call: Call): Promise<{ settings: SettingsIndex; user: string | null; at: string }> => ({
    settings: await call.settings(),
    user: call.caller.user,
    at: clock.now(),
  });
  /** Everything that the caller has, built-in ones first. */
  const all = async (call: Call): Promise<Folder[]> => {
    const { settings, user } = await byUser(call);
    return [...builtInFolders(teamsOf(settings, user)), ...(await readFolders(pool, call.place, user))];
  };
  const shown = async (call: Call, folder: Folder) => show(folder, await byUser(call));
  /** A folder that the caller may change: their own, or everybody's with the right. */
  const changeable = async (call: Call, id: string): Promise<Folder | Refused> => {
    const folder = await readFolder(pool, call.place, id, call.caller.user);
    if (folder === null) return refuse("not_found", "folder_not_found", "There is no such folder");
    return folder.owner === null ? ((await mayShare(call)) ?? folder) : folder;
  };

  return [
    route({
      ...about,
      method: "GET",
      url: "/folders",
      summary: "Lists the folders of the inbox: those of every organization, everybody's and your own",
      answer: Type.Object({ folders: Type.Array(FolderSchema) }, { title: "Folders" }),
      async handle(call) {
        return { folders: await Promise.all((await all(call)).map((folder) => shown(call, folder))) };
      },
    }),
    route({
      ...about,
      method: "GET",
      url: "/folders/counts",
      summary: "Counts the conversations of each folder",
      description:
        "As far as you may read them. What must be looked through is counted up to a thousand. `as_of` is up to when it is true, usually a second ago.",
      answer: Type.Object({ as_of: InstantSchema, counts: Type.Array(CountSchema) }, { title: "FolderCounts" }),
      async handle(call) {
        const [who, reach, folders, as_of] = await Promise.all([
          byUser(call),
          reachOf(call),
          all(call),
          listedUpTo(db, call.place.lane),
        ]);
        const { user } = who;
        const read = folders.map(({ id, filter: json, only }) => {
          const filter = conversationFilter(json, who.settings, { ...who, path: "/filter" });
          const lists: Wanted[] =
            "ok" in filter ? [] : [{ place: call.place, reach, user, filter, only: only === null ? [] : [only] }];
          return { id, lists };
        });
        const counted = await countLists(
          db,
          read.flatMap(({ lists }) => lists),
        );
        // a folder whose filter means nothing any more has none
        let next = 0;
        const counts: Static<typeof CountSchema>[] = read.map(({ id, lists }) => {
          const found = lists.length === 0 ? undefined : counted[next++];
          return { folder: id, count: found?.count ?? 0, more: found?.more ?? false };
        });
        return { as_of, counts };
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/folders",
      summary: "Makes a folder",
      description: "One for everybody needs the right `folders.write`.",
      body: Type.Object(
        {
          name: fields.name,
          filter: fields.filter,
          shared: Type.Optional(shared),
          icon: Type.Optional(fields.icon),
          position: Type.Optional(fields.position),
          only: Type.Optional(fields.only),
          sort: Type.Optional(fields.sort),
        },
        { additionalProperties: false },
      ),
      answer: FolderSchema,
      status: 201,
      async handle(call) {
        const { name, icon = null, position = 0, only = null, sort = "last_message" } = call.body;
        const forAll = call.body.shared === true;
        const owner = forAll ? null : userOf(call.caller);
        const refused = forAll ? await mayShare(call) : null;
        if (refused !== null) return refused;
        const filter = call.body.filter as Json;
        const read = conversationFilter(filter, (await byUser(call)).settings, {
          ...(await byUser(call)),
          path: "/filter",
        });
        if ("ok" in read) return read;
        const folder: Folder = { id: freshId(), owner, name, icon, position, filter, only, sort };
        if (!(await insertFolder(pool, call.place, folder)))
          return refuse("conflict", "too_many_folders", `There may be ${mostFolders} folders at most`);
        return shown(call, folder);
      },
    }),
    route({
      ...about,
      method: "PATCH",
      url: "/folders/:folder",
      summary: "Changes a folder",
      description: "Fields that are left out stay as they are. One for everybody needs the right `folders.write`.",
      params,
      body: Type.Object(
        Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, Type.Optional(schema)])) as {
          [K in keyof typeof fields]: ReturnType<typeof Type.Optional<(typeof fields)[K]>>;
        },
        { additionalProperties: false },
      ),
      answer: FolderSchema,
      async handle(call) {
        const found = await changeable(call, call.params.folder);
        if ("ok" in found) return found;
        const folder: Folder = { ...found, ...(call.body as Partial<Folder>) };
        const who = await byUser(call);
        const read = conversationFilter(folder.filter, who.settings, { ...who, path: "/filter" });
        if ("ok" in read) return read;
        if (!(await updateFolder(pool, call.place, folder)))
          return refuse("not_found", "folder_not_found", "There is no such folder");
        return shown(call, folder);
      },
    }),
    route({
      ...about,
      method: "DELETE",
      url: "/folders/:folder",
      summary: "Takes a folder away; its conversations stay",
      params,
      answer: Type.Object({ id: IdSchema }, { title: "FolderDeleted" }),
      async handle(call) {
        const found = await changeable(call, call.params.folder);
        if ("ok" in found) return found;
        await deleteFolder(pool, call.place, found.id);
        return { id: found.id };
      },
    }),
  ];
}

/** Why the caller may not change what is everybody's, or null. */
async function mayShare({ caller, settings }: Call): Promise<Refused | null> {
  if (callerMay(await settings(), caller, "folders.write")) return null;
  return refuse("forbidden", "forbidden", "This needs the right folders.write");
}

/** A folder as the API shows it, with how its conversations are found. */
function show(
  { id, owner, name, icon, position, filter, only, sort }: Folder,
  who: { readonly settings: SettingsIndex; readonly user: string | null; readonly at: string },
) {
  const built_in = !id.includes("-");
  const own = { id, built_in, shared: owner === null, name, icon, position, filter, only, sort };
  const read = conversationFilter(filter, who.settings, { ...who, path: "/filter" });
  if ("ok" in read)
    return { ...own, index: null, found_by: "The filter means nothing any more", problems: read.problems ?? [] };
  if (only === "mentioned" || only === "followed") {
    const table = only === "mentioned" ? "mentions" : "follows";
    return { ...own, index: `${table}_pkey`, found_by: "The rows are found by the user", problems: [] };
  }
  const { index, sentence } = narrow(read).index;
  return { ...own, index, found_by: sentence, problems: [] };
}
