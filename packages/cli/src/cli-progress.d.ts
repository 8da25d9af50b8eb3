// What this program uses of cli-progress, which has no types of its own.
declare module "cli-progress" {
  interface BarOptions {
    readonly format: string;
    readonly stream: NodeJS.WriteStream;
    readonly etaBuffer: number;
    readonly hideCursor: boolean;
  }
  interface Preset {
    readonly barCompleteChar: string;
    readonly barIncompleteChar: string;
  }
  class SingleBar {
    constructor(options: BarOptions, preset: Preset);
    start(total: number, value: number): void;
    increment(): void;
    stop(): void;
  }
  const Presets: { readonly shades_classic: Preset };
}
