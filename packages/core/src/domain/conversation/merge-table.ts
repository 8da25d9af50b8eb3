import type { ConversationRow } from "../../model/conversation.ts";
import {
  earliest,
  filled,
  latest,
  type MergeTable,
  mergedFired,
  mergedGuards,
  own,
  type Pair,
  sum,
  properties,
} from "../merging.ts";
import { maxTags, withTags } from "../tags.ts";
import { joinedChannels } from "./channels.ts";

type Both = Pair<ConversationRow>;

/** Where the customer last wrote counts; where they wrote in neither, the target's own. */
function channelsOf({ target, source }: Both) {
  const sourceIsLater = (source.last_inbound_at ?? "") > (target.last_inbound_at ?? "");
  return sourceIsLater ? joinedChannels(target, source) : joinedChannels(source, target);
}

/** Whether a customer who waits in the source opens the target, as their message would have. What is spam stays so. */
const opens = ({ target, source }: Both): boolean =>
  source.waiting_since !== null && target.status !== "open" && target.status !== "spam";

/** Field by field, what becomes of a conversation that another is merged into. `docs/merging.md` is made from it. */
export const conversationMerge: MergeTable<ConversationRow> = {
  id: own,
  customer: own,
  mailbox: own,
  channel: {
    says: "that of the conversation in which the customer wrote last",
    merge: (_target, _source, pair) => channelsOf(pair).channel,
  },
  address: { says: "goes with `channel`", merge: (_target, _source, pair) => channelsOf(pair).address },
  other_channels: {
    says: "all others that either holds; of two addresses on one channel, that of the conversation written in last",
    merge: (_target, _source, pair) => channelsOf(pair).other_channels,
  },
  subject: filled,
  status: {
    says: "the target's own; `open` where it was neither that nor `spam` and the customer waits in the source",
    merge: (target, _source, pair) => (opens(pair) ? "open" : target),
  },
  assignee: filled,
  team: filled,
  topic: filled,
  tags: {
    says: `those of both, the target's first; ${maxTags} at most`,
    merge: (target, source) => withTags(target, source).slice(0, maxTags),
  },
  properties,
  snoozed_until: { says: "goes with `status`", merge: (target, _source, pair) => (opens(pair) ? null : target) },
  closed_at: { says: "goes with `status`", merge: (target, _source, pair) => (opens(pair) ? null : target) },
  waiting_since: {
    says: "the earlier of both; nobody is waited for in `spam`",
    merge: (target, source, pair) => (pair.target.status === "spam" ? target : earliest.merge(target, source)),
  },
  last_message_at: latest,
  last_inbound_at: latest,
  last_reply_at: latest,
  inbound_count: sum,
  outbound_count: sum,
  merged_into: own,
  created_at: own,
  updated_at: own,
  wake_at: earliest,
  fired: {
    says: "what has fired for either has fired",
    merge: (_target, _source, pair) => mergedFired(conversationMerge, pair),
  },
  guards: {
    says: "counters of runs and automated messages add up",
    merge: (target, source, { sendsKept }) => mergedGuards(target, source, sendsKept),
  },
};
