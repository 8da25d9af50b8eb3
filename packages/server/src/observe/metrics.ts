import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** The classes in which commands wait in a process. */
export type CommandClass = "interactive" | "bulk";

/** One finished HTTP request. */
export interface HttpObservation {
  method: string;
  /** The route's pattern, such as `/v1/runs/:id`; never the path itself. Undefined when no route matched. */
  route: string | undefined;
  status: number;
  seconds: number;
}

/** Everything that is measured, each metric by its noun. */
export interface Metrics {
  /** Serves `/metrics`: `registry.contentType` and `await registry.metrics()`. */
  readonly registry: Registry;
  /** Age in seconds of the oldest due work in any lane; 0 when nothing is due. */
  readonly laneLagSeconds: Gauge;
  readonly commandsWaiting: Gauge<"class">;
  /** What waits for an answer in this process. */
  readonly waitingBytes: Gauge;
  /** Seconds for which a lane's lock has been waited for, by lane; only lanes that another transaction holds too long. */
  readonly laneWaitingSeconds: Gauge<"lane">;
  /** Age of the oldest event that a follower of the log has not yet carried; 0 when it is up to date. */
  readonly followerLagSeconds: Gauge<"follower">;
  /** Pages that are told of changes by this process. */
  readonly liveStreams: Gauge;
  readonly effectsDue: Gauge;
  readonly effectsDead: Gauge;
  readonly timersOverdue: Gauge;
  /** Items decided in a batch. */
  readonly batchItems: Histogram;
  /** Seconds from taking the lane to the answer of COMMIT. */
  readonly batchSeconds: Histogram;
  /** Seconds for which a change of settings had its lane, to the answer of COMMIT. */
  readonly settingsSeconds: Histogram;
  /** Counts a fault or a refusal by its stable code. */
  failure(code: string): void;
  /** Counts decided commands. */
  decided(type: string, outcome: "accepted" | "refused", count?: number): void;
  /** Counts runs that reached a status. */
  runs(status: string, count?: number): void;
  http(request: HttpObservation): void;
}

/** How to create the metrics. */
export interface MetricsOptions {
  /** Also measure the process itself (memory, event loop, garbage collection). Leaves observers behind, so not in tests. */
  process?: boolean;
}

const prefix = "threadmill_";

/** Creates the metrics of one app in a registry of its own. Names carry their unit; every label has a bounded set of values. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.process) collectDefaultMetrics({ register: registry, prefix });

  const gauge = <T extends string = never>(name: string, help: string, labelNames: readonly T[] = []) =>
    new Gauge<T>({ name: prefix + name, help, labelNames: [...labelNames], registers });
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Counter<T>({ name: prefix + name, help, labelNames: [...labelNames], registers });
  const histogram = <T extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly T[] = [],
  ) => new Histogram<T>({ name: prefix + name, help, buckets, labelNames: [...labelNames], registers });

  const failures = counter("failures_total", "Faults and refusals by their stable code", ["code"]);
  const decided = counter("commands_decided_total", "Commands decided, by type and outcome", ["type", "outcome"]);
  const runs = counter("runs_total", "Runs that reached a status", ["status"]);
  const http = histogram(
    "http_request_seconds",
    "Seconds an HTTP request took, by route",
    [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ["method", "route", "status"],
  );
  const [codes, types, statuses, routes, methods] = [
    bounded(200),
    bounded(300),
    bounded(20),
    bounded(500),
    bounded(10),
  ];

  return {
    registry,
    laneLagSeconds: gauge("lane_lag_seconds", "Age of the oldest due work in any lane"),
    commandsWaiting: gauge("commands_waiting", "Commands waiting in this process, by class", ["class"]),
    waitingBytes: gauge("waiting_bytes", "Bytes of commands that wait for an answer in this process"),
    laneWaitingSeconds: gauge(
      "lane_waiting_seconds",
      "Seconds for which a lane that another transaction holds has been waited for",
      ["lane"],
    ),
    followerLagSeconds: gauge(
      "follower_lag_seconds",
      "Age of the oldest event that a follower of the log has not yet carried",
      ["follower"],
    ),
    liveStreams: gauge("live_streams", "Pages that are told of changes by this process"),
    effectsDue: gauge("effects_due", "Effects that are due and not yet performed, up to 1,000 a lane"),
    effectsDead: gauge("effects_dead", "Effects on the dead-letter list, up to 1,000 a lane"),
    timersOverdue: gauge("timers_overdue", "Timers and wakes whose instant has passed"),
    batchItems: histogram("batch_items", "Items decided in a batch", [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]),
    batchSeconds: histogram(
      "batch_seconds",
      "Seconds from taking the lane to the answer of COMMIT",
      [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    ),
    settingsSeconds: histogram(
      "settings_change_seconds",
      "Seconds for which a change of settings had its lane, to the answer of COMMIT",
      [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    ),
    failure: (code) => failures.inc({ code: codes(code) }),
    decided: (type, outcome, count = 1) => decided.inc({ type: types(type), outcome }, count),
    runs: (status, count = 1) => runs.inc({ status: statuses(status) }, count),
    http: ({ method, route, status, seconds }) =>
      http.observe(
        {
          method: methods(method),
          route: route === undefined ? "none" : routes(route),
          status: `${Math.floor(status / 100)}xx`,
        },
        seconds,
      ),
  };
}

/**
 * Lets the first `most` values through and calls all later ones "other". Types and codes come from our own tables, but a
 * label that ever took a client's text would otherwise fill memory with series.
 */
function bounded(most: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= most) return "other";
    seen.add(value);
    return value;
  };
}
