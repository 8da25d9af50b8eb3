import type { Instant, Organization, User, WorkflowProblem } from "@threadmill/core";

export type { WorkflowProblem } from "@threadmill/core";

/** How much of a list, and from where. */
export interface PageAsked {
  readonly limit?: number;
  /** `next_cursor` of the page before */
  readonly cursor?: string;
}

/** A part of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** null after the last page */
  readonly next_cursor: string | null;
}

/** What a command answers. */
export interface CommandAnswer<R = Record<string, unknown>> {
  readonly command: string;
  readonly result: R;
  /** whether automatic actions go on after this answer */
  readonly cut: boolean;
}

/** Who a token speaks for. */
export interface Me {
  readonly user: User;
  readonly organization: Organization;
  readonly permissions: readonly string[];
  readonly token: { readonly id: string; readonly name: string };
}

/** How much there is, or came after an instant. */
export interface Stats {
  readonly at: Instant;
  readonly messages: number;
  readonly conversations: number;
  readonly events: number;
  readonly runs: number;
  readonly steps: number;
}

/** A workflow without its draft. */
export interface WorkflowHead {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly position: number;
  readonly enabled: boolean;
  readonly paused_reason: string | null;
  /** id of the version that runs */
  readonly published: string | null;
  readonly created_at: Instant;
  readonly updated_at: Instant;
  readonly archived_at: Instant | null;
}

/** A published version without its document. */
export interface WorkflowVersionHead {
  readonly id: string;
  readonly workflow: string;
  readonly number: number;
  readonly hash: string;
  readonly publisher: string;
  readonly published_at: Instant;
}

/** A published version. */
export interface WorkflowVersion extends WorkflowVersionHead {
  readonly document: unknown;
}

/** A workflow with its draft and what is wrong with it. */
export interface Workflow extends WorkflowHead {
  readonly draft: unknown;
  readonly problems: readonly WorkflowProblem[];
  readonly version: WorkflowVersionHead | null;
}

/** What publishing did. */
export interface WorkflowPublished {
  readonly version: WorkflowVersionHead;
  /** false when the draft does what the published version does */
  readonly created: boolean;
  readonly waiting: number;
  readonly cancelled: number;
}
