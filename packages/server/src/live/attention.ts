import type { Id } from "@threadmill/core";
import type { Place } from "../lanes/port.ts";
import type { Clock } from "../process/clock.ts";
import { type Attending, Attentions, type AttentionWord, type Doing } from "./attentions.ts";
import type { Live } from "./live.ts";
import { mayRead } from "../rights/reach.ts";

/** As it is shown. */
export interface AttentionShown {
  readonly conversation: Id;
  readonly user: Id;
  readonly doing: Doing;
  readonly until: string;
}

/** Who looks at what: told to open pages, here and in the other processes. */
export interface Attention {
  /** Somebody here does something; answers what is told of it. */
  say(word: AttentionWord): AttentionShown;
  /** Another process tells the same. */
  heard(word: AttentionWord): void;
  of(place: Place, conversation: Id, nowMs: number): readonly Attending[];
}

/** Puts it together; `pass` hands a word to the other processes. */
export function createAttention(live: Pick<Live, "say">, clock: Clock, pass: (word: AttentionWord) => void): Attention {
  const attentions = new Attentions();
  const tell = (word: AttentionWord): AttentionShown => {
    const { organization, conversation, user, doing, at } = word;
    const until = new Date(attentions.note(word, Date.parse(clock.now()))).toISOString();
    const data = { conversation, user, doing, until };
    live.say(organization, {
      event: "attention",
      data,
      for: ({ sight }) => mayRead(sight.conversations, at),
    });
    return data;
  };
  return {
    say(word) {
      pass(word);
      return tell(word);
    },
    heard: (word) => void tell(word),
    of: (place, conversation, nowMs) => attentions.of(place, conversation, nowMs),
  };
}
