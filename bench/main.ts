// `npm run bench -- NAME [--json]`: runs one measurement. The last line is one JSON object; bench/README.md tells what it
// holds. Without --json what happens meanwhile is told, too.
import { compare } from "./compare.ts";
import { configuration } from "./configuration.ts";
import { inbox } from "./inbox.ts";
import { latency } from "./latency.ts";
import { live } from "./live.ts";
import { describeMachine } from "./machine.ts";
import { start } from "./start.ts";
import { throughput } from "./throughput.ts";

const measurements = { throughput, latency, start, compare, configuration, inbox, live } as const;

const [name = "", ...argv] = process.argv.slice(2).filter((word) => word !== "--json");
const json = process.argv.includes("--json");
const say = (text: string): void => void (json ? process.stderr : process.stdout).write(`${text}\n`);

if (!Object.hasOwn(measurements, name)) {
  process.stderr.write(`Usage: npm run bench -- ${Object.keys(measurements).join("|")} [--json]\n`);
  process.exitCode = 2;
} else {
  const { processor, cores, memoryGib, system, node } = describeMachine();
  say(`${name} on ${cores} x ${processor}, ${memoryGib} GiB, ${system}, Node ${node}`);
  const figures = await measurements[name as keyof typeof measurements](argv, say);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
