import { Presets, SingleBar } from "cli-progress";

/** Shows how far it has come. */
export interface Progress {
  step(): void;
  end(): void;
}

/** A bar on standard error, or nothing where nobody would see it. */
export function openProgress(shown: boolean, total: number): Progress {
  if (!shown) return { step() {}, end() {} };
  const format = "{bar} {percentage}%  {value}/{total} messages  {eta_formatted} left";
  const bar = new SingleBar(
    { format, stream: process.stderr, etaBuffer: 500, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { step: () => bar.increment(), end: () => bar.stop() };
}
