import type { Place } from "../lanes/port.ts";

/** A job changed: its state, or how far it is. Whoever wants to know more reads it. */
export interface JobChange extends Place {
  readonly job: string;
}

/** Tells of changes of jobs in this process. */
export interface JobNews {
  tell(change: JobChange, from?: "here" | "elsewhere"): void;
  /** Told of each change here, and of others' as far as their hints are heard; answers how to end it. */
  onChange(listener: (change: JobChange, from: "here" | "elsewhere") => void): () => void;
}

/** Makes the place where changes of jobs are told. */
export function createJobNews(): JobNews {
  const listeners = new Set<(change: JobChange, from: "here" | "elsewhere") => void>();
  return {
    tell(change, from = "here") {
      for (const listener of listeners) listener(change, from);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
