import type { Condition } from "../condition/compile.ts";
import type { EventType } from "../domain/events.ts";
import type { Id, Instant, Json } from "../model/common.ts";
import { type Duration, parseDuration } from "../time/duration.ts";
import type { StoredVersion } from "./compile.ts";
import type { EventTrigger, TimeTrigger, Trigger, VersionHead } from "./compiled.ts";
import type { TimeTriggerDocument, TriggerDocument, WorkflowDocument } from "./document.ts";
import { Linked, type Surroundings } from "./linked.ts";
import { soundCondition } from "./part.ts";
import type { Problem } from "./problem.ts";
import { anchorNamed } from "./subjects.ts";

/** A published version as it is stored, as far as matching needs it: without steps. */
export interface StoredHead extends Omit<StoredVersion, "document"> {
  /** where the workflow stands among those that one event starts */
  readonly order: number;
  readonly document: Pick<WorkflowDocument, "name" | "kind" | "mailboxes" | "triggers" | "start" | "inputs">;
}

/** A part of a published document that this server cannot make ready any more. */
export class UnreadableVersion extends Error {
  readonly code = "version_unreadable";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((one) => `${one.message} (${one.path})`).join("; "));
    this.problems = problems;
  }
}

/**
 * The head of a version whose document was found sound when it was published. Its conditions stay text until one is asked
 * for, so that a workflow that nothing sets off costs little, and are made again when the settings that they name change.
 * Throws `UnreadableVersion` for a trigger that this server does not know.
 */
export const compileHead = (stored: StoredHead, surroundings: Surroundings): VersionHead =>
  new Head(stored, surroundings);

const nothing: Pick<WorkflowDocument, "inputs"> = Object.freeze({});

/** Classes, for closures would keep the document they were made from. */
class Head implements VersionHead {
  readonly id: Id;
  readonly workflow: Id;
  readonly name: string;
  readonly kind: VersionHead["kind"];
  readonly order: number;
  readonly publisher: Id | null;
  readonly publishedAt: Instant;
  readonly triggers: readonly Trigger[];
  readonly start: string;
  readonly document: Pick<WorkflowDocument, "inputs">;
  readonly #mailboxes: Linked<ReadonlySet<Id>> | null;
  readonly #linked: readonly Linked<unknown>[];

  constructor(stored: StoredHead, surroundings: Surroundings) {
    const { document, dueFrom } = stored;
    this.id = stored.id;
    this.workflow = stored.workflow;
    this.name = document.name;
    this.kind = document.kind;
    this.order = stored.order;
    this.publisher = stored.publisher;
    this.publishedAt = stored.publishedAt;
    const linked: Linked<unknown>[] = [];
    this.triggers = (document.triggers ?? []).map((trigger, index) => {
      const when = trigger.when === undefined ? null : lateCondition(trigger.when, index, surroundings);
      if (when !== null) linked.push(when);
      return "time" in trigger
        ? new LateTime(trigger, index, dueFrom?.[index] ?? null, when)
        : new LateEvent(trigger, when);
    });
    this.start = document.start;
    this.document = document.inputs === undefined ? nothing : { inputs: document.inputs };
    this.#mailboxes = document.mailboxes === undefined ? null : lateMailboxes(document.mailboxes, surroundings);
    if (this.#mailboxes !== null) linked.push(this.#mailboxes);
    this.#linked = linked;
  }

  release(): void {
    for (const each of this.#linked) each.release();
  }

  get mailboxes(): ReadonlySet<Id> | null {
    return this.#mailboxes === null ? null : this.#mailboxes.get();
  }
}

class LateEvent implements EventTrigger {
  readonly kind = "event";
  readonly event: EventType;
  readonly #when: Linked<Condition> | null;

  constructor({ event }: Extract<TriggerDocument, { event: string }>, when: Linked<Condition> | null) {
    // a type that is gone is no event that could come
    this.event = event as EventType;
    this.#when = when;
  }

  get when(): Condition | null {
    return this.#when === null ? null : this.#when.get();
  }
}

class LateTime implements TimeTrigger {
  readonly kind = "time";
  readonly subject: TimeTrigger["subject"];
  readonly since: string;
  readonly after: Duration;
  readonly calendar: string | null;
  readonly dueFrom: Instant | null;
  readonly #when: Linked<Condition> | null;

  constructor({ time }: TimeTriggerDocument, index: number, dueFrom: Instant | null, when: Linked<Condition> | null) {
    const anchor = anchorNamed(time.since);
    const after = parseDuration(time.for);
    if (anchor === null || !after.ok) throw new UnreadableVersion([unreadable(`/triggers/${index}/time`)]);
    this.subject = anchor.subject;
    this.since = anchor.field;
    this.after = after.duration;
    this.calendar = time.in ?? null;
    this.dueFrom = dueFrom;
    this.#when = when;
  }

  get when(): Condition | null {
    return this.#when === null ? null : this.#when.get();
  }
}

const unreadable = (path: string): Problem => ({
  severity: "error",
  code: "version_unreadable",
  path,
  message: "This server cannot read the trigger",
});

/** A condition kept as text, a small part of what it takes as closures. */
function lateCondition(json: Json, index: number, surroundings: Surroundings): Linked<Condition> {
  const text = JSON.stringify(json);
  return new Linked(surroundings, (settings) => {
    const problems: Problem[] = [];
    const condition = soundCondition(JSON.parse(text) as Json, `/triggers/${index}/when`, { settings, problems });
    if (condition === null) throw new UnreadableVersion(problems);
    return condition;
  });
}

const lateMailboxes = (names: readonly string[], surroundings: Surroundings): Linked<ReadonlySet<Id>> =>
  new Linked(surroundings, (settings) => new Set(names.flatMap((name) => settings.mailbox(name)?.id ?? [])));
