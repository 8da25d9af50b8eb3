/** How the connections of one process are shared out. */
export interface Connections {
  /** batches that run at a time */
  readonly batches: number;
  /** of the lanes: one for each batch, two for settings, one for the poll */
  readonly lanes: number;
  /** on which the locks of lanes that another process holds are waited for */
  readonly waiters: number;
  /** erasing, watching, followers, partitions */
  readonly background: number;
  /** the one that listens to the other processes */
  readonly hints: number;
  /** for everything else: reading, sign-in, effects */
  readonly general: number;
}

/** With fewer connections something would have to do without any. */
export const connectionsAtLeast = 14;

/**
 * Shares out the connections that a process may open, for a machine with so many processors. More batches at a time than
 * processors only make each smaller: on two processors 2 carried 4,600 runs/s where 4 carried 4,000 and 1 carried 3,000.
 */
export function shareConnections(total: number, processors: number): Connections {
  const batches = Math.max(2, Math.min(processors, Math.floor((total - 6) / 4)));
  const lanes = batches + 3;
  const waiters = total < 20 ? 2 : 4;
  const background = 3;
  const hints = 1;
  return { batches, lanes, waiters, background, hints, general: total - lanes - waiters - background - hints };
}
