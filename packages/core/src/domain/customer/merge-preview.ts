import type { Refusal } from "../../model/command.ts";
import type { Id, Instant, Json } from "../../model/common.ts";
import { type Customer, CustomerSchema, type CustomerRow } from "../../model/customer.ts";
import type { Actor } from "../../model/event.ts";
import { namesOf } from "../../model/json.ts";
import { decide } from "../decide.ts";
import { key } from "../keys.ts";
import type { Ledger } from "../ledger.ts";
import { own } from "../merging.ts";
import type { SettingsIndex } from "../settings-index.ts";
import { customerMerge } from "./merge-table.ts";

/** What becomes of one field in a merge that is not done yet. */
export interface FieldPreview {
  readonly field: keyof Customer;
  readonly source: Json;
  readonly target: Json;
  readonly result: Json;
  /** by which rule, in words */
  readonly says: string;
}

/** What a merge would make of the customer that stands for both afterwards. */
export interface MergePreview {
  readonly ok: true;
  readonly source: Id;
  readonly target: Id;
  readonly fields: readonly FieldPreview[];
  /** how many of the source's runs would wait for the target instead */
  readonly waiting_runs: number;
}

/** What a preview is made with: rows as they stand, and who asks. */
export interface PreviewSight {
  readonly ledger: Ledger;
  readonly settings: SettingsIndex;
  readonly actor: Actor;
  readonly at: Instant;
}

/**
 * Decides a merge of customers as it would be decided now, looks at what came of it, and takes all of it back: so the
 * preview cannot say anything else than the merge does, and is refused for what the merge would be. Throws `Missing`.
 */
export function previewCustomerMerge(
  input: { readonly customer: Id; readonly into: Id },
  { ledger, settings, actor, at }: PreviewSight,
): MergePreview | Refusal {
  const mark = ledger.mark();
  const source = ledger.get<CustomerRow>(key.customer(input.customer));
  let minted = 0;
  const { answer } = decide(
    { type: "customer.merge", actor, input },
    {
      ledger,
      settings,
      actor,
      at,
      root: "preview",
      cause: {},
      depth: 0,
      mint: () => `preview-${(minted += 1)}`,
      workflows: { published: () => null },
    },
  );
  if (!answer.ok) return answer;
  const target = answer.result["customer"] as Id;
  const result = ledger.get<CustomerRow>(key.customer(target)) as CustomerRow;
  ledger.rollback(mark);
  const before = ledger.get<CustomerRow>(key.customer(target)) as CustomerRow;
  const fields = namesOf(CustomerSchema.properties).flatMap((name): FieldPreview[] => {
    const field = name as keyof Customer;
    const { says } = customerMerge[field];
    if (says === own.says) return [];
    const held = (row: CustomerRow) => row[field] as Json;
    return [{ field, source: held(source as CustomerRow), target: held(before), result: held(result), says }];
  });
  return {
    ok: true,
    source: input.customer,
    target,
    fields,
    waiting_runs: ledger.list(key.waiting(input.customer), input.customer).length,
  };
}
