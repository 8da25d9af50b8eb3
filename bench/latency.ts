import { numberArgument, quantile, round } from "./figures.ts";
import { type HttpLoad, openHttpLoad } from "./http-load.ts";
import { startServerProcess } from "./server-child.ts";
import { quickThroughput } from "./throughput.ts";

const warmUpSeconds = 5;

/**
 * One message in -> actions committed, through HTTP, at a fixed rate: arrivals come on the clock whether or not earlier
 * ones are answered, and a latency begins when its message was due, so that a stall counts for everyone it held up. The
 * server is another process; both share the cores. Default rate: a quarter of the in-process throughput.
 */
export async function latency(argv: readonly string[], say: (text: string) => void): Promise<object> {
  const rate = numberArgument(argv, "rate") ?? round((await quickThroughput()) / 4);
  const seconds = numberArgument(argv, "seconds") ?? 20;
  const lanes = numberArgument(argv, "lanes") ?? 16;
  const server = await startServerProcess(lanes);
  const load = openHttpLoad(server.url, server.tenants);
  try {
    const warm = Math.ceil(rate * warmUpSeconds);
    await openLoop(load, 0, warm, rate);
    const latencies = await openLoop(load, warm, Math.ceil(rate * seconds), rate);
    const found = {
      p50: quantile(latencies, 0.5),
      p90: quantile(latencies, 0.9),
      p99: quantile(latencies, 0.99),
      most: quantile(latencies, 1),
    };
    say(
      `at ${rate}/s in ${lanes} lanes for ${seconds} s: half within ${round(found.p50, 1)} ms, 99 of 100 within ${round(found.p99, 1)} ms, all within ${round(found.most, 1)} ms`,
    );
    const httpPerSecond = await saturate(load, warm + latencies.length);
    say(`at saturation over HTTP: ${round(httpPerSecond)} messages/s`);
    return {
      rate,
      p50Ms: round(found.p50, 2),
      p99Ms: round(found.p99, 2),
      lanes,
      p90Ms: round(found.p90, 2),
      maxMs: round(found.most, 2),
      httpPerSecond: round(httpPerSecond),
    };
  } finally {
    load.close();
    await server.stop();
  }
}

/** What `latencyRound` found: the ninety-ninth percentile at each rate, and what was reached at saturation. */
export interface LatencyRound {
  readonly p99Ms: readonly number[];
  readonly httpPerSecond: number;
}

/** Latency at several rates and then saturation, on one server in a process of its own. */
export async function latencyRound(options: {
  readonly rates: readonly number[];
  readonly seconds: number;
  readonly lanes: number;
}): Promise<LatencyRound> {
  const server = await startServerProcess(options.lanes);
  const load = openHttpLoad(server.url, server.tenants);
  try {
    let sent = 0;
    const p99Ms: number[] = [];
    for (const rate of options.rates) {
      const warm = Math.ceil(rate * warmUpSeconds);
      await openLoop(load, sent, warm, rate);
      const latencies = await openLoop(load, sent + warm, Math.ceil(rate * options.seconds), rate);
      sent += warm + latencies.length;
      p99Ms.push(quantile(latencies, 0.99));
    }
    return { p99Ms, httpPerSecond: await saturate(load, sent) };
  } finally {
    load.close();
    await server.stop();
  }
}

/** Sends `count` messages at a rate, beginning with number `first`, and gives their latencies in ms. */
async function openLoop(load: HttpLoad, first: number, count: number, rate: number): Promise<number[]> {
  const started = performance.now();
  const latencies: number[] = [];
  const sending: Promise<void>[] = [];
  for (let sent = 0; sent < count;) {
    const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * rate) + 1);
    for (; sent < due; sent += 1) {
      const dueAt = started + (sent / rate) * 1000;
      sending.push(load.send(first + sent).then(() => void latencies.push(performance.now() - dueAt)));
    }
    // timers are precise to a millisecond, in which several may fall due
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(sending);
  return latencies;
}

/** Messages a second when so many are always under way: what client and server reach together on these cores. */
async function saturate(load: HttpLoad, first: number, count = 10_000, parallel = 200): Promise<number> {
  let next = first;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (next < first + count) await load.send(next++);
    }),
  );
  return count / ((performance.now() - started) / 1000);
}
