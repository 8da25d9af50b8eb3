import { conversationMerge } from "./conversation/merge-table.ts";
import { customerMerge } from "./customer/merge-table.ts";
import { maxMovedRuns } from "./merging.ts";

const table = (rules: Readonly<Record<string, { readonly says: string }>>): string =>
  [
    "| field | becomes |",
    "|---|---|",
    ...Object.entries(rules).map(([field, { says }]) => `| \`${field}\` | ${says} |`),
  ].join("\n");

/** docs/merging.md. A test keeps the file equal to this. */
export const mergingMarkdown = (): string => `# What a merge does

<!-- made from packages/core/src/domain/*/merge-table.ts -->

A merge lets one row, the *target*, stand for another, the *source*, from then on. No messages and no conversations move:
the source stays where it is, says in \`merged_into\` what stands for it, and is found and counted under the target. What
waits does move, in the same decision: the source's waiting runs with their timers, its clocks and its counters are the
target's afterwards, so that a run that waits for the customer's next message hears of it. A merge that would move more
than ${maxMovedRuns} waiting runs is refused.

The tables say what the target's fields become. A source that is a conversation is closed; one that is a customer keeps
its fields, but is found under its addresses no more.

## Conversations

${table(conversationMerge)}

## Customers

${table(customerMerge)}
`;
