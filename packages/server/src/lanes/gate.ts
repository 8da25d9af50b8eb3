import type { Gate } from "./lane.ts";

/** Lets `size` holders in at a time; the others wait in the order in which they came. */
export function gate(size: number): Gate {
  let free = size;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    enter() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(once(leave));
      }
      return new Promise((resolve) => waiting.push(() => resolve(once(leave))));
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
