/** Nobody waited long enough, or nobody waits any more. */
export class TurnMissed extends Error {
  constructor() {
    super("The turn did not come in time");
    this.name = "TurnMissed";
  }
}

interface Waiter {
  readonly go: () => void;
}

/** One at a time, in the order in which they asked. Whoever waits for a turn holds nothing. */
export class Turns {
  #taken = false;
  readonly #waiting: Waiter[] = [];

  /** Answers how to end the turn; throws `TurnMissed` when it has not come within `withinMs`. */
  async take(withinMs: number): Promise<() => void> {
    if (this.#taken) await this.#wait(withinMs);
    this.#taken = true;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken = false;
      // the turn passes from hand to hand, so that nobody who comes now gets in between
      else next.go();
    };
  }

  #wait(withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(new TurnMissed());
      };
      const timer = Number.isFinite(withinMs) ? setTimeout(giveUp, Math.max(0, withinMs)) : undefined;
      const waiter: Waiter = {
        go: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiting.push(waiter);
    });
  }
}
