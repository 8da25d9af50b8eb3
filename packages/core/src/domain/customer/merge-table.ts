import type { CustomerRow } from "../../model/customer.ts";
import { mergedAddresses } from "../addressing.ts";
import {
  earliest,
  filled,
  latest,
  type MergeTable,
  mergedFired,
  mergedGuards,
  own,
  properties,
  sum,
} from "../merging.ts";
import { maxTags, withTags } from "../tags.ts";

const address = {
  says: "the target's own; the source's where it has none, else that becomes a handle of the target's",
};

/** Field by field, what becomes of a customer that another is merged into. `docs/merging.md` is made from it. */
export const customerMerge: MergeTable<CustomerRow> = {
  id: own,
  phone: { ...address, merge: (_target, _source, pair) => mergedAddresses(pair.target, pair.source).phone },
  email: { ...address, merge: (_target, _source, pair) => mergedAddresses(pair.target, pair.source).email },
  external_id: { ...address, merge: (_target, _source, pair) => mergedAddresses(pair.target, pair.source).external_id },
  handles: {
    says: "those of both",
    merge: (_target, _source, pair) => mergedAddresses(pair.target, pair.source).handles,
  },
  first_name: filled,
  last_name: filled,
  picture_url: filled,
  locale: filled,
  timezone: filled,
  zip_code: filled,
  city: filled,
  region: filled,
  country: filled,
  company: filled,
  subscribed: {
    says: "only where both were: who asked for no messages under one name gets none under both",
    merge: (target, source) => target && source,
  },
  subscribed_at: {
    says: "the later of both, where both were subscribed",
    merge: (target, source, { target: one, source: other }) =>
      one.subscribed && other.subscribed ? latest.merge(target, source) : null,
  },
  unsubscribed_at: filled,
  assignee: filled,
  teams: { says: "those of both", merge: (target, source) => [...new Set([...target, ...source])] },
  tags: {
    says: `those of both, the target's first; ${maxTags} at most`,
    merge: (target, source) => withTags(target, source).slice(0, maxTags),
  },
  properties,
  state: { says: "follows from the conversations, which are those of both", merge: (target) => target },
  open_conversations: sum,
  unreplied_conversations: sum,
  merged_into: own,
  erased_at: own,
  created_at: own,
  updated_at: own,
  wake_at: earliest,
  fired: {
    says: "what has fired for either has fired",
    merge: (_target, _source, pair) => mergedFired(customerMerge, pair),
  },
  guards: {
    says: "counters of runs and automated messages add up",
    merge: (target, source, { sendsKept }) => mergedGuards(target, source, sendsKept),
  },
};
