import { type Json, oneOf, prepare } from "@threadmill/core";
import { type Static, Type } from "typebox";
import { hideUnreachable } from "../../rights/hide.ts";
import { reachIn } from "../../rights/reach.ts";
import { defineJob, type JobContext, type JobItem } from "../kind.ts";
import {
  nextOfSelection,
  type SelectionCursor,
  SelectionSchema,
  selectionProblem,
  sizeOfSelection,
} from "../selection.ts";

const Parameters = Type.Object(
  {
    workflow: Type.String({ minLength: 1, maxLength: 200, description: "id or short name" }),
    noun: oneOf(["conversation", "customer"] as const, "what the selection names"),
    selection: SelectionSchema,
    inputs: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 100 })),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof Parameters>;

/** Starts a manual workflow for each of many things. */
export const runWorkflow = defineJob({
  name: "workflows.run",
  summary: "Runs a manual workflow on many conversations or customers",
  permission: "runs.start",
  parameters: Parameters,
  open: true,
  async problem(context: JobContext<Parameters>) {
    const { parameters, settings, id } = context;
    const { command } = startOf(parameters, id);
    const prepared = prepare(command.type, command.input, settings);
    return prepared.ok ? selectionProblem(context, parameters.selection, parameters.noun) : prepared;
  },
  total: (context) => sizeOfSelection(context, context.parameters.selection, context.parameters.noun),
  plan: (context, cursor: SelectionCursor | null) =>
    nextOfSelection(context, context.parameters.selection, context.parameters.noun, cursor),
  async work(context, { ids }) {
    const reach = reachIn(context.settings, context.actor, "runs.start");
    const items = ids.map(async (id) => {
      const start = startOf(context.parameters, id);
      const input = await hideUnreachable(start.command.input, { ...context, reach });
      return { ...start, command: { ...start.command, input } };
    });
    return { items: await Promise.all(items) };
  },
});

const startOf = ({ workflow, noun, inputs }: Parameters, id: string): JobItem => ({
  item: id,
  command: {
    type: "run.start",
    input: { workflow, [noun]: id, ...(inputs !== undefined && { inputs: inputs as { [name: string]: Json } }) },
  },
});
