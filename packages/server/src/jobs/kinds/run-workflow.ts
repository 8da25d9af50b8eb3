import { type Json, oneOf, prepare } from "@threadmill/core";
import { Type } from "typebox";
import { defineJob, type JobContext, type JobItem } from "../kind.ts";
import { nextOfSelection, SelectionSchema, sizeOfSelection } from "../selection.ts";

interface Parameters {
  readonly workflow: string;
  readonly noun: "conversation" | "customer";
  readonly selection: { readonly ids: readonly string[] };
  readonly inputs?: { readonly [name: string]: unknown };
}

/** Starts a manual workflow for each of many things. */
export const runWorkflow = defineJob({
  name: "workflows.run",
  summary: "Runs a manual workflow on many conversations or customers",
  permission: "runs.start",
  parameters: Type.Object(
    {
      workflow: Type.String({ minLength: 1, maxLength: 200, description: "id or short name" }),
      noun: oneOf(["conversation", "customer"] as const, "what the selection names"),
      selection: SelectionSchema,
      inputs: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 100 })),
    },
    { additionalProperties: false },
  ),
  open: true,
  async problem({ parameters, settings }: JobContext<Parameters>) {
    const { command } = startOf(parameters, parameters.selection.ids[0] as string);
    const prepared = prepare(command.type, command.input, settings);
    return prepared.ok ? null : prepared;
  },
  total: ({ parameters }) => sizeOfSelection(parameters.selection),
  plan: async ({ parameters, sliceItems }, cursor: number | null) =>
    nextOfSelection(parameters.selection, sliceItems, cursor),
  work: async ({ parameters }, { ids }) => ({ items: ids.map((id) => startOf(parameters, id)) }),
});

const startOf = ({ workflow, noun, inputs }: Parameters, id: string): JobItem => ({
  item: id,
  command: {
    type: "run.start",
    input: { workflow, [noun]: id, ...(inputs !== undefined && { inputs: inputs as { [name: string]: Json } }) },
  },
});
