import type { RecordedConversation, RecordedMessage } from "./recording.ts";

/** A message with its conversation. */
export interface Turn {
  readonly conversation: RecordedConversation;
  readonly message: RecordedMessage;
  /** the instant by which it is ordered, in milliseconds */
  readonly atMs: number;
}

/** The messages of all conversations in time order. Within one conversation the recorded order holds, whatever its clocks say. */
export function inTimeOrder(conversations: readonly RecordedConversation[]): Turn[] {
  const turns = conversations.flatMap((conversation) => {
    let latest = Number.NEGATIVE_INFINITY;
    return conversation.messages.map((message) => ({
      conversation,
      message,
      atMs: (latest = Math.max(latest, message.atMs)),
    }));
  });
  // the sort is stable: messages of one instant stay as they were recorded
  return turns.sort((a, b) => a.atMs - b.atMs);
}

/** How turns are played. */
export interface Playing {
  /** how many may be under way at once */
  readonly parallel: number;
  /** times real time; undefined: as fast as they are taken */
  readonly speed?: number | undefined;
  readonly send: (turn: Turn) => Promise<void>;
  /** ends it after those under way */
  readonly signal: AbortSignal;
  readonly clock: { nowMs(): number; sleep(ms: number): Promise<void> };
}

/**
 * Sends turns in their order, several at once, but each only after those before it in its conversation. Throws what `send`
 * threw first, after those under way.
 */
export async function play(turns: readonly Turn[], { parallel, speed, send, signal, clock }: Playing): Promise<void> {
  const last = new Map<string, Promise<void>>();
  const free = slots(parallel);
  let fault: { readonly error: unknown } | null = null;
  const startMs = clock.nowMs();
  const beginMs = turns[0]?.atMs ?? 0;
  for (const turn of turns) {
    if (speed !== undefined) {
      const waitMs = startMs + (turn.atMs - beginMs) / speed - clock.nowMs();
      if (waitMs > 0) await clock.sleep(waitMs);
    }
    // a slot is taken in the order of time, so whoever a holder waits for has one already
    const release = await free();
    if (signal.aborted || fault !== null) break;
    const before = last.get(turn.conversation.id) ?? Promise.resolve();
    const sending = before
      .then(() => send(turn))
      .catch((error: unknown) => {
        fault ??= { error };
      })
      .finally(release);
    last.set(turn.conversation.id, sending);
  }
  // the last of each conversation comes after all others of it
  await Promise.all(last.values());
  if (fault !== null) throw (fault as { readonly error: unknown }).error;
}

/** So many may hold a slot; the others wait their turn. */
function slots(most: number): () => Promise<() => void> {
  let held = 0;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) held -= 1;
    else next();
  };
  return async () => {
    if (held < most) held += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return release;
  };
}
