/**
 * Carries things in sets: what is given while one set is under way goes with the next. Answers each when its set is
 * carried; a set that fails fails for all that were in it.
 */
export function inSets<T>(carry: (set: readonly T[]) => Promise<void>): (thing: T) => Promise<void> {
  let waiting: { readonly thing: T; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  let busy = false;
  const carryAll = async (): Promise<void> => {
    // what is given in this turn goes with the first set
    await Promise.resolve();
    while (waiting.length > 0) {
      const set = waiting;
      waiting = [];
      try {
        await carry(set.map(({ thing }) => thing));
        for (const { resolve } of set) resolve();
      } catch (error) {
        for (const { reject } of set) reject(error);
      }
    }
    busy = false;
  };
  return (thing) =>
    new Promise((resolve, reject) => {
      waiting.push({ thing, resolve, reject });
      if (busy) return;
      busy = true;
      void carryAll();
    });
}
