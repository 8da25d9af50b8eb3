import type { Id, Standpoint } from "@threadmill/core";
import type { Place } from "../lanes/port.ts";
import type { doings } from "./messages.ts";

export type Doing = (typeof doings)[number];

/** What somebody does in a conversation, as it goes from process to process. */
export interface AttentionWord extends Place {
  readonly conversation: Id;
  readonly user: Id;
  readonly doing: Doing;
  /** who may know of it */
  readonly at: Standpoint;
}

/** Who does what, until when. */
export interface Attending {
  readonly user: Id;
  readonly doing: Exclude<Doing, "nothing">;
  readonly untilMs: number;
}

/** Who looks says so again every 30 seconds, who types every few; who does not is gone. */
const lastsMs: Readonly<Record<Doing, number>> = { looking: 45_000, typing: 8_000, nothing: 0 };
const mostConversations = 50_000;

/**
 * Who looks at which conversation and types in it, as far as this process was told. It is never written anywhere and
 * ends by itself; a process that has just started hears of it when it is said again.
 */
export class Attentions {
  readonly #conversations = new Map<
    string,
    Map<Id, { readonly doing: Attending["doing"]; readonly untilMs: number }>
  >();

  /** Notes what somebody does; answers until when it holds. */
  note({ organization, conversation, user, doing }: AttentionWord, nowMs: number): number {
    const name = `${organization}/${conversation}`;
    const untilMs = nowMs + lastsMs[doing];
    const users = this.#conversations.get(name) ?? new Map();
    if (doing === "nothing") users.delete(user);
    else users.set(user, { doing, untilMs });
    // what was told of last stands last: what is let go of first has been silent longest
    this.#conversations.delete(name);
    if (users.size > 0) this.#conversations.set(name, users);
    this.#tidy(nowMs);
    return untilMs;
  }

  /** Who is there now. */
  of({ organization }: Place, conversation: Id, nowMs: number): readonly Attending[] {
    const users = this.#conversations.get(`${organization}/${conversation}`) ?? new Map<Id, Omit<Attending, "user">>();
    return [...users].flatMap(([user, each]) => (each.untilMs > nowMs ? [{ user, ...each }] : []));
  }

  /** how many conversations are known of */
  get size(): number {
    return this.#conversations.size;
  }

  #tidy(nowMs: number): void {
    let looks = 4;
    for (const [name, users] of this.#conversations) {
      const over = [...users.values()].every(({ untilMs }) => untilMs <= nowMs);
      if (!over && this.#conversations.size <= mostConversations) {
        if (--looks === 0) return;
        continue;
      }
      this.#conversations.delete(name);
    }
  }
}
