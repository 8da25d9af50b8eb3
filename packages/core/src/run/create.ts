import type { Id, Instant, Json, Ref } from "../model/common.ts";
import type { Actor, Refs } from "../model/event.ts";
import type { Run } from "../model/run.ts";
import type { VersionHead } from "../workflow/compiled.ts";

/** What a run is to know of where it comes from. */
export interface RunOrigin {
  readonly id: Id;
  readonly at: Instant;
  readonly root: string;
  readonly depth: number;
  readonly subject: Ref;
  readonly refs: Refs;
  readonly trigger: Run["trigger"];
  readonly by?: Actor;
  readonly inputs?: { readonly [name: string]: Json };
}

/** A run at its beginning: pinned to its version, queued, no step taken. */
export function newRun(version: VersionHead, origin: RunOrigin): Run {
  const actor: Actor = { kind: "workflow", id: version.workflow, publisher: version.publisher };
  return {
    id: origin.id,
    workflow: version.workflow,
    version: version.id,
    subject_kind: origin.subject.kind,
    subject: origin.subject.id,
    customer: origin.refs.customer ?? null,
    conversation: origin.refs.conversation ?? null,
    message: origin.refs.message ?? null,
    status: "queued",
    reason: null,
    root: origin.root,
    trigger: origin.trigger,
    actor,
    started_by: origin.by ?? null,
    ended_by: null,
    depth: origin.depth,
    cursor: version.start,
    waits: 0,
    waiting: null,
    hears: null,
    inputs: origin.inputs ?? {},
    outputs: null,
    steps: [],
    started_at: origin.at,
    finished_at: null,
  };
}
