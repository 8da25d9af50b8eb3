import { type AnyCommand, commands, IdSchema, type Json } from "@threadmill/core";
import { type TObject, type TProperties, type TSchema, Type } from "typebox";
import { checkUserRights } from "../../http/rights.ts";
import { type Route, route } from "../../http/route.ts";
import type { DefineUnknown } from "../properties/define.ts";
import type { CommandDoor } from "./door.ts";
import type { SubmitCommand } from "./submit.ts";
import { type CommandRoute, commandRoutes } from "./table.ts";

/** What every command answers. */
export const CommandAnswerSchema = Type.Object(
  {
    command: IdSchema,
    result: Type.Record(Type.String(), Type.Unknown(), {
      description: "What the decision gave: ids, whether anything changed",
    }),
    cut: Type.Boolean({
      description: "Whether automatic actions go on after this answer; usually they are done by now",
    }),
  },
  { title: "CommandAnswer" },
);

/** A route for every command. */
export function commandHttpRoutes(submit: SubmitCommand, door: CommandDoor, define: DefineUnknown): Route[] {
  return commandRoutes.map((row) => commandRoute(row, commandOf(row), { submit, door, define }));
}

function commandOf({ command }: CommandRoute): AnyCommand {
  const found = commands.get(command);
  if (found === undefined) throw new Error(`There is no command ${command}`);
  return found;
}

/** With it, an unknown property that is set becomes one of its value's type. */
const defining = Type.Object({
  define_properties: Type.Optional(
    Type.Boolean({
      description:
        "Defines properties that are set and unknown, each of its value's type, behind the command; needs the right `properties.define`",
    }),
  ),
});

/** What a command's route goes through. */
interface Ways {
  readonly submit: SubmitCommand;
  readonly door: CommandDoor;
  readonly define: DefineUnknown;
}

function commandRoute(row: CommandRoute, definition: AnyCommand, { submit, door, define }: Ways): Route {
  const { params, body } = splitInput(row.url, definition);
  const bodyless = row.method === "DELETE";
  return route({
    method: row.method,
    url: row.url,
    tag: row.tag,
    summary: definition.summary,
    description: `The command \`${definition.type}\`.`,
    permission: definition.permission,
    checkedBy: "engine",
    ...(params !== null && { params }),
    ...(!bodyless && { body }),
    ...(row.sets !== undefined && { query: defining }),
    answer: CommandAnswerSchema,
    status: row.status ?? 200,
    problems: [404, 429],
    async handle(call) {
      const given = { ...(call.body as object | undefined), ...(call.params as object) };
      const entered = await door.enter(call, definition, given);
      if ("ok" in entered) return entered;
      const defines = row.sets !== undefined && call.query.define_properties === true;
      if (defines) await checkUserRights(call, "properties.define");
      const answer = await submit(call, definition.type, entered.input);
      if (defines && "command" in answer)
        await define({ place: call.place, actor: call.actor, noun: row.sets, values: propertiesIn(given) });
      return answer;
    },
  });
}

/** The properties that a command's input sets. */
function propertiesIn(input: {
  readonly name?: string;
  readonly value?: Json;
  readonly properties?: { readonly [name: string]: Json };
}): { readonly [name: string]: Json } {
  const { name, value, properties } = input;
  return name === undefined ? (properties ?? {}) : { [name]: value ?? null };
}

/** Takes the input's schema apart: what stands in the path, and the rest. */
export function splitInput(
  url: string,
  { input, type }: AnyCommand,
): { readonly params: TObject | null; readonly body: TObject } {
  const names = new Set([...url.matchAll(/:(\w+)/g)].map(([, name]) => name as string));
  const properties = Object.entries(input.properties as Record<string, TSchema>);
  const known = new Set(properties.map(([name]) => name));
  for (const name of names) if (!known.has(name)) throw new Error(`${type} has no input ${name}`);
  const required = new Set((input as { readonly required?: readonly string[] }).required ?? []);
  const pick = (wanted: (name: string) => boolean, keep: (name: string) => boolean): TProperties =>
    Object.fromEntries(
      properties
        .filter(([name]) => wanted(name))
        .map(([name, schema]) => [name, keep(name) ? schema : Type.Optional(schema)]),
    );
  const body = Type.Object(
    pick(
      (name) => !names.has(name),
      (name) => required.has(name),
    ),
    { ...objectOptions(input), additionalProperties: false },
  );
  const params =
    names.size === 0
      ? null
      : Type.Object(
          pick(
            (name) => names.has(name),
            () => true,
          ),
        );
  // what the path gives is always given
  if (params !== null) Object.assign(params, { required: [...names] });
  return { params, body };
}

/** Options of the input beside its fields, such as `minProperties`. */
function objectOptions(input: TObject): object {
  const {
    type: _type,
    properties: _properties,
    required: _required,
    additionalProperties: _closed,
    ...options
  } = input as TObject & {
    additionalProperties?: unknown;
  };
  return options;
}
