import {
  isEverywhere,
  nowhere,
  type Permission,
  type Reach,
  refuse,
  type Refusal,
  type SettingsIndex,
} from "@threadmill/core";
import type { Call } from "../http/route.ts";
import { reachOf } from "./reach.ts";

/** A workflow, as far as it says whose it is: by the mailboxes that its documents name. */
export interface Drawn {
  readonly draft: unknown;
}

/** The mailboxes that a document is for, by name; null: all. A draft may hold anything in their place. */
function mailboxesOf(document: unknown): readonly unknown[] | null {
  const named =
    typeof document === "object" && document !== null && "mailboxes" in document ? document.mailboxes : null;
  return Array.isArray(named) ? named : null;
}

const within = (settings: SettingsIndex, reach: Reach, name: unknown): boolean => {
  const mailbox = typeof name === "string" ? settings.mailbox(name) : null;
  return mailbox !== null && (reach.mailboxes === null || reach.mailboxes.includes(mailbox.id));
};

/** Whether a workflow may be seen: one for all mailboxes by whoever may see any, another by who sees each that it names. */
export const maySeeWorkflow = (settings: SettingsIndex, reach: Reach, document: unknown): boolean =>
  isEverywhere(reach) ||
  (reach !== nowhere && (mailboxesOf(document)?.every((name) => within(settings, reach, name)) ?? true));

/** Whether it may be changed, published or switched: that takes the right in every mailbox that it acts in. */
export function mayRuleWorkflow(settings: SettingsIndex, reach: Reach, document: unknown): boolean {
  if (isEverywhere(reach)) return true;
  const named = mailboxesOf(document);
  return (
    reach.of === "all" && named !== null && named.length > 0 && named.every((name) => within(settings, reach, name))
  );
}

type Asks = Pick<Call, "caller" | "settings">;

/** The workflow, where the caller may see it; else null, as where there is none. */
export async function seenWorkflow<Row extends Drawn>(call: Asks, row: Row | null): Promise<Row | null> {
  if (row === null) return null;
  const reach = await reachOf(call, "workflows.read");
  return maySeeWorkflow(await call.settings(), reach, row.draft) ? row : null;
}

/** What stands against a change that makes these documents what runs or is drawn, or that replaces them. */
export async function workflowRefusal(
  call: Asks,
  permission: Permission,
  documents: readonly unknown[],
): Promise<Refusal | null> {
  const [reach, settings] = [await reachOf(call, permission), await call.settings()];
  if (documents.every((document) => mayRuleWorkflow(settings, reach, document))) return null;
  return refuse(
    "forbidden",
    "not_in_all_mailboxes",
    `This needs the right ${permission} in every mailbox that the workflow is for`,
  );
}
