import { expect, test } from "vitest";
import { connectionsAtLeast, shareConnections } from "./connections.ts";

test("the shares make up the whole, on any machine, and nobody goes without", () => {
  for (let total = connectionsAtLeast; total < 300; total += 1) {
    for (const processors of [1, 2, 4, 16, 128]) {
      const { batches, lanes, waiters, background, hints, general } = shareConnections(total, processors);
      expect(lanes + waiters + background + hints + general).toBe(total);
      for (const share of [lanes, waiters, background, hints, general]) expect(share).toBeGreaterThan(0);
      expect(general).toBeGreaterThanOrEqual(3);
      // one for each batch, two for settings, one for the poll
      expect(lanes).toBe(batches + 3);
      expect(batches).toBeLessThanOrEqual(Math.max(2, processors));
    }
  }
});
