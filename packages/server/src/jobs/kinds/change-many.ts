import { commands, type Json, prepare, refuse, type Refusal } from "@threadmill/core";
import { Type } from "typebox";
import { defineJob, type JobContext, type JobKind } from "../kind.ts";
import { nextOfSelection, SelectionSchema, sizeOfSelection } from "../selection.ts";

/** Does one command to many things of a noun, each by a command of its own with the rights of whoever asked. */
function changeMany(noun: "conversation" | "customer"): JobKind {
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
    total: ({ parameters }) => sizeOfSelection(parameters.selection),
    plan: async ({ parameters, sliceItems }, cursor: number | null) =>
      nextOfSelection(parameters.selection, sliceItems, cursor),
    work: async ({ parameters }, { ids }) => ({
      items: ids.map((id) => ({
        item: id,
        command: { type: parameters.command, input: { ...(parameters.input as { [name: string]: Json }), [noun]: id } },
      })),
    }),
  });
}

/** Mistakes that every item would repeat are told before there is a job. */
function problemOf(
  noun: "conversation" | "customer",
  {
    parameters: { command, input, selection },
    actor,
    settings,
  }: JobContext<{
    readonly command: string;
    readonly input: object;
    readonly selection: { readonly ids: readonly string[] };
  }>,
): Refusal | null {
  const definition = commands.get(command);
  if (definition === undefined || definition.target !== noun)
    return refuse("invalid", "command_unknown", `There is no command ${command} that is done to a ${noun}`, "/command");
  if (!settings.permits(actor, definition.permission))
    return refuse("forbidden", "forbidden", `This needs the right ${definition.permission}`);
  const prepared = prepare(command, { ...input, [noun]: selection.ids[0] }, settings);
  return prepared.ok ? null : { ...prepared, path: `/input${prepared.path ?? ""}` };
}

/** Bulk actions on conversations. */
export const changeConversations = changeMany("conversation");
/** Bulk actions on customers. */
export const changeCustomers = changeMany("customer");
