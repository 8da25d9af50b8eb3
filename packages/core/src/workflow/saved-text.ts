import { key } from "../domain/keys.ts";
import { Ledger } from "../domain/ledger.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Id, Instant } from "../model/common.ts";
import type { Conversation } from "../model/conversation.ts";
import type { Customer } from "../model/customer.ts";
import { subjectScope } from "../run/scope.ts";
import type { Meter } from "../template/meter.ts";
import { TemplateFault } from "../template/problem.ts";
import { compileText } from "../template/text.ts";
import { asErrors, type Problem } from "./problem.ts";
import { readProblems } from "./reads.ts";

/** What a saved text is made into words for: a conversation, its customer, and who writes. */
export interface SavedTextSubject {
  readonly conversation: Conversation;
  /** whom the conversation's customer stands for now; null where there is none */
  readonly customer: Customer | null;
  readonly user: Id | null;
  readonly at: Instant;
}

export type Rendered =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** A text with variables that people keep, such as a saved reply, made ready. */
export interface SavedText {
  /** paths that it reads */
  readonly reads: readonly string[];
  readonly render: (subject: SavedTextSubject) => Rendered;
}

export type SavedTextResult =
  | { readonly ok: true; readonly text: SavedText }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const roots = new Set([
  "organization",
  "customer",
  "conversation",
  "user",
  "assignee",
  "team",
  "channel",
  "mailbox",
  "calendar",
  "now",
]);
const unlimited: Meter = { left: () => Number.POSITIVE_INFINITY, take() {} };

/** Reads a text in the language of workflows, which may name the conversation, its customer, the settings and who writes. */
export function readSavedText(source: string, settings: SettingsIndex, path = ""): SavedTextResult {
  const compiled = compileText(source, path);
  if (!compiled.ok) return { ok: false, problems: asErrors(compiled.problems) };
  const { text } = compiled;
  const problems = readProblems(text.reads, { roots, run: null, changes: false }, path, settings);
  if (problems.length > 0) return { ok: false, problems };
  const render = ({ conversation, customer, user, at }: SavedTextSubject): Rendered => {
    const rows = new Map<string, unknown>([
      [key.conversation(conversation.id), conversation],
      [key.customer(conversation.customer), customer],
    ]);
    const ledger = new Ledger({ get: (name) => rows.get(name) ?? null });
    const refs = { conversation: conversation.id, customer: conversation.customer, ...(user !== null && { user }) };
    try {
      return { ok: true, text: text.render(subjectScope(refs, at, { ledger, settings, meter: unlimited })) };
    } catch (fault) {
      if (fault instanceof TemplateFault) return { ok: false, code: fault.code, message: fault.message };
      throw fault;
    }
  };
  return { ok: true, text: { reads: text.reads, render } };
}
