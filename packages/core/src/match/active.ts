import type { Id, SubjectKind } from "../model/common.ts";
import type { Event } from "../model/event.ts";
import { parsePath, type Path } from "../template/path.ts";
import type { Scope } from "../template/scope.ts";
import type { EventTrigger, TimeTrigger, VersionBody, VersionHead } from "../workflow/compiled.ts";

/** A trigger that an event of its type may fire. */
export interface Candidate {
  readonly version: VersionHead;
  readonly index: number;
  readonly trigger: EventTrigger;
}

export interface TimeCandidate {
  readonly version: VersionHead;
  readonly index: number;
  readonly trigger: TimeTrigger;
}

/** The enabled workflows of an organization, as the mill asks for them. */
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
  /** the steps of a version, published or older, as far as the shell has loaded them; null where it has not */
  version(id: Id): VersionBody | null;
  /** the published version of a workflow, by id or short name */
  published(workflow: string): VersionHead | null;
}

/** A published workflow as the settings hold it. */
export interface PublishedWorkflow<Version extends VersionHead = VersionHead> {
  readonly slug: string;
  readonly version: Version;
}

/**
 * The enabled workflows of an organization, arranged by what starts them. They come and go one by one between batches, so
 * that a change of one workflow costs nothing for the others. A list per event type, gone through in order: right below
 * some two hundred workflows; beyond that an index over the conditions' hints takes its place behind the same function.
 */
export class Workflows implements ActiveWorkflows {
  readonly #bodies: (id: Id) => VersionBody | null;
  readonly #byId = new Map<Id, PublishedWorkflow>();
  readonly #bySlug = new Map<string, VersionHead>();
  readonly #byEvent = new Map<string, Ordered<Candidate>>();
  readonly #byTime = { conversation: new Ordered<TimeCandidate>(), customer: new Ordered<TimeCandidate>() };
  /** fields of a customer that time triggers of conversations read; "*" is the customer as a whole; null: not known yet */
  #customerReads: ReadonlySet<string> | null = null;

  /** `bodies` gives the steps of the versions that are loaded. */
  constructor(bodies: (id: Id) => VersionBody | null) {
    this.#bodies = bodies;
  }

  /** The published workflow of an id, with its short name. */
  get(workflow: Id): PublishedWorkflow | null {
    return this.#byId.get(workflow) ?? null;
  }

  /** Puts a published version in, in place of the one that its workflow had. */
  put(published: PublishedWorkflow): void {
    const { slug, version } = published;
    this.remove(version.workflow);
    this.#byId.set(version.workflow, published);
    this.#bySlug.set(slug, version);
    for (const [index, trigger] of version.triggers.entries()) {
      if (trigger.kind === "time") this.#byTime[trigger.subject].add({ version, index, trigger });
      else {
        let list = this.#byEvent.get(trigger.event);
        if (list === undefined) this.#byEvent.set(trigger.event, (list = new Ordered()));
        list.add({ version, index, trigger });
      }
    }
    this.#customerReads = null;
  }

  /** Takes a workflow out; one that is not there is no matter. */
  remove(workflow: Id): void {
    const known = this.#byId.get(workflow);
    if (known === undefined) return;
    const { slug, version } = known;
    this.#byId.delete(workflow);
    version.release?.();
    // the name may be another workflow's by now
    if (this.#bySlug.get(slug) === version) this.#bySlug.delete(slug);
    for (const trigger of version.triggers) {
      if (trigger.kind === "time") this.#byTime[trigger.subject].drop(version);
      else {
        const list = this.#byEvent.get(trigger.event);
        list?.drop(version);
        if (list?.all.length === 0) this.#byEvent.delete(trigger.event);
      }
    }
    this.#customerReads = null;
  }

  listens(type: string): boolean {
    return this.#byEvent.has(type);
  }

  candidates(event: Event, _scope: Scope): readonly Candidate[] {
    return this.#byEvent.get(event.type)?.all ?? [];
  }

  timed(kind: SubjectKind): readonly TimeCandidate[] {
    return kind === "conversation" || kind === "customer" ? this.#byTime[kind].all : [];
  }

  readsCustomer(fields: readonly string[]): boolean {
    const reads = (this.#customerReads ??= new Set(this.#byTime.conversation.all.flatMap(customerReadsOf)));
    return reads.has("*") || fields.some((field) => reads.has(field));
  }

  version(id: Id): VersionBody | null {
    return this.#bodies(id);
  }

  published(workflow: string): VersionHead | null {
    return this.#byId.get(workflow)?.version ?? this.#bySlug.get(workflow) ?? null;
  }
}

/** Triggers in the order in which their runs execute; put in order when they are next looked at. */
class Ordered<T extends { readonly version: VersionHead; readonly index: number }> {
  readonly #list: T[] = [];
  #sorted = true;

  add(one: T): void {
    this.#list.push(one);
    this.#sorted = false;
  }

  drop(version: VersionHead): void {
    for (let at = this.#list.length - 1; at >= 0; at -= 1) {
      if (this.#list[at]!.version === version) this.#list.splice(at, 1);
    }
  }

  get all(): readonly T[] {
    if (!this.#sorted) this.#list.sort(byOrder);
    this.#sorted = true;
    return this.#list;
  }
}

function byOrder<T extends { readonly version: VersionHead; readonly index: number }>(a: T, b: T): number {
  if (a.version === b.version) return a.index - b.index;
  return a.version.order - b.version.order || (a.version.workflow < b.version.workflow ? -1 : 1);
}

function customerReadsOf({ trigger }: TimeCandidate): readonly string[] {
  try {
    return (trigger.when?.reads ?? []).flatMap(customerField);
  } catch {
    // a condition that cannot be made ready faults whenever it is asked: then it must be asked
    return ["*"];
  }
}

function customerField(read: string): readonly string[] {
  const [root, field] = parsePath(read) as Path; // written by formatPath
  return root === "customer" ? [String(field ?? "*")] : [];
}
