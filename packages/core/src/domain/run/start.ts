import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema, type Json, type Ref } from "../../model/common.ts";
import type { Refs } from "../../model/event.ts";
import { namesOf } from "../../model/json.ts";
import { newRun } from "../../run/create.ts";
import { conversationNotFound, refsOfConversation } from "../conversation/with-conversation.ts";
import { customerErased, isErased } from "../customer/with-customer.ts";
import { accept, defineCommand } from "../define.ts";
import type { Draft } from "../draft.ts";
import { key } from "../keys.ts";
import { inputsProblem } from "./inputs.ts";

/** Starts a manual or callable workflow for a conversation, customer, user or the organization. */
export const startRun = defineCommand({
  type: "run.start",
  summary: "Starts a manual or callable workflow",
  permission: "runs.start",
  target: null,
  action: true,
  events: ["run.started"],
  input: Type.Object(
    {
      workflow: Type.String({ description: "id or short name" }),
      conversation: Type.Optional(IdSchema),
      customer: Type.Optional(IdSchema),
      user: Type.Optional(IdSchema),
      inputs: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    },
    { additionalProperties: false },
  ),
  needs: (input) => [
    ...(input.conversation === undefined ? [] : [key.conversation(input.conversation)]),
    ...(input.customer === undefined ? [] : [key.customer(input.customer)]),
  ],
  decide(input, draft) {
    const version = draft.workflow(input.workflow);
    if (version === null)
      return refuse("not_found", "workflow_not_found", "There is no such enabled workflow", "/workflow");
    if (version.kind === "automatic") {
      return refuse("conflict", "workflow_automatic", "An automatic workflow starts by its triggers only", "/workflow");
    }
    const about = subjectOfInput(input, draft);
    if ("ok" in about) return about;
    const unfit = inputsProblem(version.document.inputs, input.inputs);
    if (unfit !== null) return unfit;
    // words come back with inputs, behind the erasing that blanks them slice by slice
    const words = namesOf(input.inputs ?? {}).length > 0;
    if (words && about.refs.customer !== undefined && isErased(draft.customer(about.refs.customer)))
      return customerErased(input.conversation === undefined ? "/customer" : "/conversation");
    const id = draft.newId();
    draft.startRun(
      newRun(version, {
        id,
        at: draft.at,
        root: draft.origin.root,
        depth: draft.actor.kind === "workflow" ? draft.origin.depth + 1 : draft.origin.depth,
        subject: about.subject,
        refs: about.refs,
        trigger: { type: "run.start", event: null, index: null },
        by: draft.actor,
        inputs: (input.inputs ?? {}) as { [name: string]: Json },
      }),
    );
    draft.emit("run.started", about.refs, [], { run: id, workflow: version.workflow });
    return accept({ run: id, workflow: version.workflow, version: version.id });
  },
});

function subjectOfInput(
  input: { readonly conversation?: string; readonly customer?: string; readonly user?: string },
  draft: Draft,
): { readonly subject: Ref; readonly refs: Refs } | ReturnType<typeof refuse> {
  if (input.conversation !== undefined) {
    const row = draft.conversationOf(input.conversation);
    if (row === null || !draft.reachesConversation(input.conversation)) return conversationNotFound();
    return { subject: { kind: "conversation", id: row.id }, refs: refsOfConversation(draft, row) };
  }
  if (input.customer !== undefined) {
    const row = draft.customerOf(input.customer);
    if (row === null) return refuse("not_found", "customer_not_found", "There is no such customer", "/customer");
    return { subject: { kind: "customer", id: row.id }, refs: { customer: row.id } };
  }
  if (input.user !== undefined) {
    const user = draft.settings.user(input.user);
    if (user === null) return refuse("not_found", "user_not_found", "There is no such user", "/user");
    return { subject: { kind: "user", id: user.id }, refs: { user: user.id } };
  }
  return { subject: { kind: "organization", id: draft.settings.organization.id }, refs: {} };
}
