import { IdSchema, refuse } from "@threadmill/core";
import { type TObject, type TProperties, Type } from "typebox";
import { byId, list, pageById } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Call, type Refused, type Route, route } from "../../http/route.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import { mailboxesKnown } from "../../rights/mailboxes.ts";
import { workflowsFollow } from "../workflows/consequences.ts";
import { type Change, NothingToChange } from "./change.ts";
import { type ChangeContext, type Resource, type Row, shown } from "./resource.ts";
import { freeSlug, slugOf } from "./slug.ts";
import { insertRow, listRows, readRow, uniqueProblem, updateRow } from "./store.ts";

type Given = Readonly<Record<string, unknown>>;
const params = Type.Object({ id: IdSchema });

/** The five routes of a resource. */
export function resourceRoutes(resource: Resource, { pool }: Pick<AppPorts, "pool">, change: Change): Route[] {
  const { noun, plural, shape, permission = "settings.write" } = resource;
  const about = { tag: "Settings", answer: shape } as const;
  return [
    list({
      url: `/${plural}`,
      tag: "Settings",
      summary: `Lists ${plural}`,
      permission: "settings.read",
      query: { archived: Type.Optional(Type.Boolean({ description: "archived ones too" })) },
      item: shape,
      title: `${titleOf(shape)}Page`,
      spot: byId,
      async read(call, page) {
        const { seen } = resource;
        const asked = { archived: call.query.archived ?? false, after: page.after?.[0], most: page.rows };
        if (seen === undefined) {
          const rows = await listRows(pool, resource, call.place, asked);
          return pageById(rows, page, (row) => shown(resource, row));
        }
        const known = mailboxesKnown(await call.settings(), call.caller);
        const rows = await listRows(pool, resource, call.place, { ...asked, fits: (row) => seen(row, known) });
        return pageById(rows, page, (row) => shown(resource, row));
      },
    }),
    route({
      ...about,
      method: "GET",
      url: `/${plural}/:id`,
      summary: `Reads one of the ${plural}`,
      permission: "settings.read",
      params,
      async handle(call) {
        const row = await readRow(pool, resource, call.place, call.params.id);
        const hidden =
          row !== null &&
          resource.seen !== undefined &&
          !resource.seen(row, mailboxesKnown(await call.settings(), call.caller));
        return row === null || hidden ? missing(resource) : shown(resource, row);
      },
    }),
    route({
      ...about,
      method: "POST",
      url: `/${plural}`,
      summary: `Makes a ${noun}`,
      ...(resource.effect !== undefined && { description: resource.effect }),
      permission,
      body: bodyOf(resource.create, resource.defaults),
      status: 201,
      handle: (call) =>
        change(call, (tx, at) =>
          create(resource, call as Call<unknown, unknown, Given>, {
            tx,
            place: call.place,
            at,
            before: null,
            given: call.body,
            caller: call.caller,
          }),
        ),
    }),
    route({
      ...about,
      method: "PATCH",
      url: `/${plural}/:id`,
      summary: `Changes a ${noun}`,
      description: ["Fields that are left out stay as they are.", resource.effect ?? ""].join(" ").trim(),
      permission,
      params,
      body: bodyOf(resource.update, resource.update),
      handle: (call) =>
        change(call, (tx, at) =>
          update(resource, call.params.id, call.body as Given, { tx, place: call.place, at, caller: call.caller }),
        ),
    }),
    route({
      ...about,
      method: "POST",
      url: `/${plural}/:id/archive`,
      summary: `Archives a ${noun}`,
      description: "Nothing is deleted: what refers to it stays. Workflows that name it are paused, and say why.",
      permission,
      params,
      body: Type.Object({}, { additionalProperties: false }),
      handle: (call) =>
        change(call, (tx, at) => archive(resource, call.params.id, { tx, place: call.place, at, caller: call.caller })),
    }),
  ];
}

async function create(resource: Resource, { body }: { readonly body: Given }, context: ChangeContext) {
  const { tx, place, at } = context;
  const id = freshId(Date.parse(at));
  const columns = { ...resource.defaults, ...(resource.columns?.(body, id, place, null) ?? body) };
  const slug =
    resource.slugged && body["slug"] === undefined
      ? { slug: await freeSlug(tx, resource.plural, place, slugOf(String(body["name"]), resource.noun)) }
      : {};
  const row: Row = { ...columns, ...slug, id, archived_at: null };
  const refused = await problemOf(resource, row, context);
  if (refused !== null) return refused;
  const written = await insertRow(tx, resource, place, row, at);
  await resource.after?.(written, context);
  const consequences = await workflowsFollow({ tx, place, at, noun: resource.noun, before: null, after: written });
  return { ...changed(resource, null, written), consequences };
}

async function update(resource: Resource, id: string, body: Given, given: Omit<ChangeContext, "before" | "given">) {
  const before = await readRow(given.tx, resource, given.place, id);
  if (before === null) return missing(resource);
  if (before.archived_at !== null)
    return refuse("conflict", `${resource.noun}_archived`, `The ${resource.noun} is archived`);
  const context = { ...given, before, given: body };
  const columns = resource.columns?.(body, id, given.place, before) ?? body;
  const row: Row = { ...before, ...columns };
  const refused = await problemOf(resource, row, context);
  if (refused !== null) return refused;
  if (Object.keys(columns).length === 0) throw new NothingToChange(shown(resource, before));
  const written = await updateRow(given.tx, resource, given.place, id, columns);
  await resource.after?.(written, context);
  const consequences = await workflowsFollow({ ...given, noun: resource.noun, before, after: written });
  return { ...changed(resource, before, written), consequences };
}

async function archive(resource: Resource, id: string, given: Omit<ChangeContext, "before" | "given">) {
  const before = await readRow(given.tx, resource, given.place, id);
  if (before === null) return missing(resource);
  if (before.archived_at !== null) throw new NothingToChange(shown(resource, before));
  const refused = await resource.checkArchive?.(before, { ...given, before, given: {} });
  if (refused) return refused;
  const written = await updateRow(given.tx, resource, given.place, id, { archived_at: given.at });
  await resource.after?.(written, { ...given, before, given: {} });
  const consequences = await workflowsFollow({ ...given, noun: resource.noun, before, after: written });
  return { ...changed(resource, before, written), consequences };
}

async function problemOf(resource: Resource, row: Row, context: ChangeContext): Promise<Refused | null> {
  return (
    (await uniqueProblem(context.tx, resource, context.place, row)) ?? (await resource.check?.(row, context)) ?? null
  );
}

function changed(resource: Resource, before: Row | null, after: Row) {
  const result = shown(resource, after);
  return {
    noun: resource.noun,
    id: after.id,
    before: before === null ? null : shown(resource, before),
    after: result,
    result,
  };
}

const missing = ({ noun }: Resource) => refuse("not_found", `${noun}_not_found`, `There is no such ${noun}`);

const titleOf = (shape: TObject & { readonly title?: string }): string => shape.title ?? "";

/** A closed body in which the fields that have a default may be left out. */
function bodyOf(fields: TProperties, defaults: object): TObject {
  const entries = Object.entries(fields).map(([name, schema]) => [
    name,
    name in defaults || name === "slug" ? Type.Optional(schema) : schema,
  ]);
  return Type.Object(Object.fromEntries(entries) as TProperties, { additionalProperties: false });
}
