import { commands, type Json, prepare, refuse, type Refusal } from "@threadmill/core";
import { Type } from "typebox";
import { hideUnreachable } from "../../rights/hide.ts";
import { reachIn } from "../../rights/reach.ts";
import { defineJob, type JobContext, type JobKind } from "../kind.ts";
import {
  nextOfSelection,
  type Selection,
  type SelectionCursor,
  type SelectionNoun,
  SelectionSchema,
  selectionProblem,
  sizeOfSelection,
} from "../selection.ts";

/** Does one command to many things of a noun, each by a command of its own with the rights of whoever asked. */
function changeMany(noun: SelectionNoun): JobKind {
  return defineJob({
    name: `${noun}s.change`,
    summary: `Does one command to many ${noun}s`,
    permission: `${noun}s.write`,
    parameters: Type.Object(
      {
        selection: SelectionSchema,
        command: Type.String({ maxLength: 100, description: `any command that is done to a ${noun}` }),
        input: Type.Record(Type.String(), Type.Unknown(), {
          description: `what the command takes, without the ${noun}`,
          maxProperties: 100,
        }),
      },
      { additionalProperties: false },
    ),
    open: true,
    problem: async (context) => problemOf(noun, context),
    total: (context) => sizeOfSelection(context, context.parameters.selection, noun),
    plan: (context, cursor: SelectionCursor | null) =>
      nextOfSelection(context, context.parameters.selection, noun, cursor),
    async work(context, { ids }) {
      const { command: type, input } = context.parameters;
      const permission = commands.get(type)?.permission ?? (`${noun}s.write` as const);
      const reach = reachIn(context.settings, context.actor, permission);
      const items = ids.map(async (id) => {
        const given = { ...(input as { [name: string]: Json }), [noun]: id };
        return { item: id, command: { type, input: await hideUnreachable(given, { ...context, reach }) } };
      });
      return { items: await Promise.all(items) };
    },
  });
}

/** Mistakes that every item would repeat are told before there is a job. */
function problemOf(
  noun: SelectionNoun,
  context: JobContext<{ readonly command: string; readonly input: object; readonly selection: Selection }>,
): Refusal | null {
  const { command, input, selection } = context.parameters;
  const { actor, settings, id } = context;
  const definition = commands.get(command);
  if (definition === undefined || definition.target !== noun)
    return refuse("invalid", "command_unknown", `There is no command ${command} that is done to a ${noun}`, "/command");
  if (!settings.permits(actor, definition.permission))
    return refuse("forbidden", "forbidden", `This needs the right ${definition.permission}`);
  // any id stands for all
  const prepared = prepare(command, { ...input, [noun]: id }, settings);
  if (!prepared.ok) return { ...prepared, path: `/input${prepared.path ?? ""}` };
  return selectionProblem(context, selection, noun);
}

/** Bulk actions on conversations. */
export const changeConversations = changeMany("conversation");
/** Bulk actions on customers. */
export const changeCustomers = changeMany("customer");
