/** A counting gate. */
export interface Gate {
  /** Answers how to leave again. Who says `ahead` goes before all who wait already. */
  enter(ahead?: boolean): Promise<() => void>;
  /** Enters if that takes no waiting; answers null otherwise. */
  tryEnter(): (() => void) | null;
}

/** Lets `size` holders in at a time; the others wait in the order in which they came. */
export function gate(size: number): Gate {
  let free = size;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const tryEnter = (): (() => void) | null => {
    if (free === 0) return null;
    free -= 1;
    return once(leave);
  };
  return {
    tryEnter,
    enter(ahead = false) {
      const entered = tryEnter();
      if (entered !== null) return Promise.resolve(entered);
      return new Promise((resolve) => {
        const enter = (): void => resolve(once(leave));
        if (ahead) waiting.unshift(enter);
        else waiting.push(enter);
      });
    },
  };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
