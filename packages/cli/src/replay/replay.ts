import { ApiProblem, type Client, type Stats, Unreachable } from "@threadmill/client";
import type { Context, Outcome } from "../command.ts";
import { clientFor } from "../server-client.ts";
import { UserError } from "../user-error.ts";
import { inTimeOrder, play, type Turn } from "./play.ts";
import { openProgress } from "./progress.ts";
import { quantile } from "./quantile.ts";
import { type RecordedConversation, readRecording } from "./recording.ts";

/** What to replay, and how. */
export interface ReplayInput {
  readonly file: string;
  /** times real time; as fast as the server takes them when not given */
  readonly speed?: number | undefined;
  /** id or short name; default `api` */
  readonly channel?: string | undefined;
  /** requests under way at once; default 32 */
  readonly parallel?: number | undefined;
}

/** The summary. Messages count both directions; latency is request sent to answer received. */
export interface ReplaySummary {
  readonly messages: number;
  readonly conversations: number;
  readonly events: number;
  readonly runs: number;
  readonly steps: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** answers that came before all automatic actions were committed */
  readonly cut: number;
}

/** After so many requests in a row without an answer there is no use in the rest. */
const hopeless = 10;

/**
 * Feeds recorded conversations through the API of a running server, in time order. What they caused is what the
 * organization's counts grew by meanwhile: whatever else goes on in it is in there too.
 */
export async function replay(
  context: Context,
  input: ReplayInput,
): Promise<Outcome & { readonly json: ReplaySummary }> {
  const turns = inTimeOrder(await readRecording(input.file));
  const client = clientFor(context);
  const channel = input.channel ?? "api";
  await checkChannel(client, channel);
  // counting from now costs nothing, and tells what the server takes for now
  const { at: since } = await client.stats(context.now());

  const tally = newTally();
  const progress = openProgress(context.interactive, turns.length);
  const abort = new AbortController();
  const started = performance.now();
  try {
    await play(turns, {
      parallel: input.parallel ?? 32,
      speed: input.speed,
      signal: abort.signal,
      clock: { nowMs: () => performance.now(), sleep },
      async send(turn) {
        await sendCounted(tally, turn, (conversation) => sendTurn(client, channel, turn, conversation));
        if (tally.unanswered >= hopeless) abort.abort();
        progress.step();
      },
    });
  } finally {
    progress.end();
  }
  const seconds = Math.round(performance.now() - started) / 1000;
  if (abort.signal.aborted) throw tally.lastFault;
  const { events, runs, steps } = await settled(client, since);
  const json: ReplaySummary = {
    messages: tally.sent,
    conversations: tally.conversations.size,
    events,
    runs,
    steps,
    failed: tally.failed,
    seconds,
    p50Ms: quantile(tally.latencies, 0.5),
    p99Ms: quantile(tally.latencies, 0.99),
    cut: tally.cut,
  };
  return { json, text: inWords(json, tally), ...(tally.failed > 0 && { exit: "refused" as const }) };
}

const pollMs = 200;
const mostPolls = 25;

/** What came since, once nothing more comes: deliveries are reported after the answer to whoever sent the message. */
async function settled(client: Client, since: string): Promise<Stats> {
  let stats = await client.stats(since);
  for (let poll = 0; poll < mostPolls; poll += 1) {
    await sleep(pollMs);
    const next = await client.stats(since);
    if (next.events === stats.events && next.steps === stats.steps) return next;
    stats = next;
  }
  return stats;
}

/** A replay writes with made-up addresses, which only a channel of the API takes; a wrong name would fail every message. */
async function checkChannel(client: Client, wanted: string): Promise<void> {
  const known: string[] = [];
  for await (const { id, slug, kind } of client.each<{ id: string; slug: string; kind: string }>("/channels")) {
    if (id !== wanted && slug !== wanted) {
      if (kind === "api") known.push(slug);
      continue;
    }
    if (kind === "api") return;
    throw new UserError(
      "channel_unfit",
      `The channel ${wanted} is of the kind ${kind}; a replay needs one of the kind api.`,
    );
  }
  const hint = known.length === 0 ? undefined : `There is ${known.join(", ")}.`;
  throw new UserError("channel_not_found", `There is no channel ${wanted}.`, hint === undefined ? {} : { hint });
}

interface Answered {
  readonly conversation: string;
  readonly cut: boolean;
}

/** Sends one recorded message by what a customer or an agent would use. Agents may write first, too. */
async function sendTurn(
  client: Client,
  channel: string,
  { conversation, message }: Turn,
  known: string | undefined,
): Promise<Answered> {
  const address = `replay-${conversation.id}`;
  if (message.from === "customer") {
    const { result, cut } = await client.messages.receive(channel, { from: address, text: message.text });
    return { conversation: result.conversation, cut };
  }
  const place = known ?? (await client.conversations.start({ channel, to: address })).result.conversation;
  const { cut } = await client.messages.send(place, { text: message.text });
  return { conversation: place, cut };
}

interface Tally {
  sent: number;
  failed: number;
  cut: number;
  /** requests in a row that got no answer */
  unanswered: number;
  lastFault: unknown;
  readonly reasons: Map<string, number>;
  readonly latencies: number[];
  /** the server's conversation of each recorded one */
  readonly conversations: Map<RecordedConversation, string>;
}

const newTally = (): Tally => ({
  sent: 0,
  failed: 0,
  cut: 0,
  unanswered: 0,
  lastFault: null,
  reasons: new Map(),
  latencies: [],
  conversations: new Map(),
});

async function sendCounted(
  tally: Tally,
  { conversation }: Turn,
  send: (known: string | undefined) => Promise<Answered>,
): Promise<void> {
  const started = performance.now();
  try {
    const answer = await send(tally.conversations.get(conversation));
    tally.latencies.push(performance.now() - started);
    tally.conversations.set(conversation, answer.conversation);
    tally.sent += 1;
    tally.unanswered = 0;
    if (answer.cut) tally.cut += 1;
  } catch (error) {
    if (!(error instanceof ApiProblem) && !(error instanceof Unreachable)) throw error;
    tally.failed += 1;
    tally.unanswered = error instanceof Unreachable ? tally.unanswered + 1 : 0;
    tally.lastFault = error;
    const reason = error instanceof ApiProblem ? `${error.code}: ${error.message}` : error.message;
    tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
  }
}

function inWords(summary: ReplaySummary, { reasons }: Tally): string {
  const rate = summary.seconds > 0 ? ` (${Math.round(summary.messages / summary.seconds)} a second)` : "";
  const lines = [
    `${summary.messages} messages of ${summary.conversations} conversations in ${summary.seconds} s${rate}`,
    `They caused ${summary.events} events and ${summary.runs} runs with ${summary.steps} steps.`,
    `Half of the answers came within ${summary.p50Ms} ms, 99 of 100 within ${summary.p99Ms} ms.`,
  ];
  if (summary.cut > 0) lines.push(`${summary.cut} answers came before all automatic actions were done.`);
  if (summary.failed > 0) lines.push(`${summary.failed} messages failed:`);
  for (const [reason, count] of [...reasons].slice(0, 5)) lines.push(`  ${count} x ${reason}`);
  return lines.join("\n");
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
