// One measurement of one side of `npm run bench -- compare`, in a process of its own: `node round.ts many|one|reply|http`.
// It is copied into the other commit's checkout, so it uses nothing but what this folder and `@threadmill/server` export.
import { latencyRound } from "./latency.ts";
import { measureSetting, type Setting } from "./throughput.ts";

const messages = 20_000;
const parallel = 2000;

const settings: Readonly<Record<string, Setting>> = {
  many: { name: "sixteen lanes", lanes: 16, third: "assign", messages, parallel },
  one: { name: "one lane", lanes: 1, third: "assign", messages, parallel },
  // a quarter as many: each is five times the work
  reply: { name: "with reply", lanes: 16, third: "reply", messages: messages / 4, parallel },
};

const [name = ""] = process.argv.slice(2);
const setting = settings[name];
const say = (text: string): void => void process.stderr.write(`${text}\n`);
if (setting === undefined && name !== "http") throw new Error(`There is no measurement ${name}`);
const figures =
  setting === undefined
    ? await latencyRound({ rates: [100, 1000], seconds: 15, lanes: 16 })
    : await measureSetting(setting, say, 1);
process.stdout.write(`${JSON.stringify(figures)}\n`);
