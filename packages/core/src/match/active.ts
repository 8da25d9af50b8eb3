import type { Id, SubjectKind } from "../model/common.ts";
import type { Event } from "../model/event.ts";
import { parsePath, type Path } from "../template/path.ts";
import type { Scope } from "../template/scope.ts";
import type { CompiledVersion, EventTrigger, TimeTrigger } from "../workflow/compiled.ts";

/** A trigger that an event of its type may fire. */
export interface Candidate {
  readonly version: CompiledVersion;
  readonly index: number;
  readonly trigger: EventTrigger;
}

export interface TimeCandidate {
  readonly version: CompiledVersion;
  readonly index: number;
  readonly trigger: TimeTrigger;
}

/** The enabled workflows of an organization, made ready to match; built once per `config_version`. */
export interface ActiveWorkflows {
  /** whether any trigger is for events of this type; asked before a scope is made */
  listens(type: string): boolean;
  /**
   * The triggers that an event may fire, in the order in which their runs execute: (`order`, id), then their place in the
   * document. All that `matches` would answer with yes or fault are among them.
   */
  candidates(event: Event, scope: Scope): readonly Candidate[];
  /** the time triggers that subjects of a kind may fire; none but conversations and customers have a clock */
  timed(kind: SubjectKind): readonly TimeCandidate[];
  /** whether time triggers of conversations read any of these fields of a customer */
  readsCustomer(fields: readonly string[]): boolean;
  /** a version by its id: the published ones, and older ones that the shell has loaded for waiting runs */
  version(id: Id): CompiledVersion | null;
  /** the published version of a workflow, by id or short name */
  published(workflow: string): CompiledVersion | null;
}

/** A published workflow as the settings hold it. */
export interface PublishedWorkflow {
  readonly slug: string;
  readonly version: CompiledVersion;
}

/**
 * Arranges the enabled workflows by what starts them. A list per event type, gone through in order: right below some
 * two hundred workflows; beyond that an index over the conditions' hints takes its place behind the same function.
 */
export function activate(
  published: readonly PublishedWorkflow[],
  older: (id: Id) => CompiledVersion | null = () => null,
): ActiveWorkflows {
  const ordered = published.toSorted(
    (a, b) => a.version.order - b.version.order || (a.version.workflow < b.version.workflow ? -1 : 1),
  );
  const byEvent = new Map<string, Candidate[]>();
  const byTime = { conversation: [] as TimeCandidate[], customer: [] as TimeCandidate[] };
  const byId = new Map<Id, CompiledVersion>();
  const byName = new Map<string, CompiledVersion>();
  for (const { slug, version } of ordered) {
    byId.set(version.id, version);
    byName.set(version.workflow, version);
    byName.set(slug, version);
    for (const [index, trigger] of version.triggers.entries()) {
      if (trigger.kind === "time") byTime[trigger.subject].push({ version, index, trigger });
      else {
        const list = byEvent.get(trigger.event);
        if (list === undefined) byEvent.set(trigger.event, [{ version, index, trigger }]);
        else list.push({ version, index, trigger });
      }
    }
  }
  // "*" is the customer as a whole
  const customerReads = new Set(
    byTime.conversation.flatMap(({ trigger }) => (trigger.when?.reads ?? []).flatMap(customerField)),
  );
  return {
    listens: (type) => byEvent.has(type),
    candidates: (event) => byEvent.get(event.type) ?? [],
    timed: (kind) => (kind === "conversation" || kind === "customer" ? byTime[kind] : []),
    readsCustomer: (fields) => customerReads.has("*") || fields.some((field) => customerReads.has(field)),
    version: (id) => byId.get(id) ?? older(id),
    published: (workflow) => byName.get(workflow) ?? null,
  };
}

function customerField(read: string): readonly string[] {
  const [root, field] = parsePath(read) as Path; // written by formatPath
  return root === "customer" ? [String(field ?? "*")] : [];
}
