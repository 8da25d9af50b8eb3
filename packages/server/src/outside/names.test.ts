import { createSocket, type Socket } from "node:dgram";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nameResolver, type Resolve } from "./names.ts";

/** Says where `good.test` is, that there is no `nobody.test`, and nothing of `*.silent.test`. */
let server: Socket;
let servers: string[];
const asked: string[] = [];

beforeAll(async () => {
  server = createSocket("udp4");
  server.on("message", (question, from) => {
    const name = nameIn(question);
    asked.push(name);
    if (name.endsWith("silent.test")) return;
    const known = name === "good.test" && question.at(-3) === 1;
    // as it came, with: this is an answer; no error or no such name; how many answers
    const answer = Buffer.from(question);
    answer.writeUInt16BE(name === "good.test" ? 0x8180 : 0x8183, 2);
    answer.writeUInt16BE(known ? 1 : 0, 6);
    answer.writeUInt16BE(0, 10);
    const end = 12 + name.length + 2 + 4;
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
    server.send(Buffer.concat(known ? [answer.subarray(0, end), record] : [answer.subarray(0, end)]), from.port);
  });
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  servers = [`127.0.0.1:${server.address().port}`];
});
afterAll(() => server.close());

function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; question[at] !== 0; at += 1 + (question[at] as number))
    labels.push(question.toString("latin1", at + 1, at + 1 + (question[at] as number)));
  return labels.join(".");
}

const noHosts = async () => "";
const nowhere: Resolve = async () => {
  throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
};

test("a name of which nobody answers keeps no other waiting, and no thread", async () => {
  let bySystem = 0;
  const system: Resolve = async () => {
    bySystem += 1;
    return nowhere("");
  };
  const resolve = nameResolver({ servers, hosts: noHosts, system });
  let silent = 0;
  const slow = Array.from({ length: 50 }, (_, n) =>
    resolve(`n${n}.silent.test`).then(
      () => "found",
      (error: { code: string }) => {
        silent += 1;
        return error.code;
      },
    ),
  );
  expect(await resolve("good.test")).toEqual([{ address: "192.0.2.7" }]);
  expect(silent).toBe(0);
  expect(new Set(await Promise.all(slow))).toEqual(new Set(["ETIMEOUT"]));
  expect(bySystem).toBe(0);
}, 60_000);

test("the hosts file goes first; names that the servers do not know, and those without a dot, are the system's to find", async () => {
  const bySystem: string[] = [];
  const system: Resolve = async (name) => {
    bySystem.push(name);
    return name === "inner" ? [{ address: "10.0.0.1" }] : nowhere(name);
  };
  const hosts = async () => "# ours\n192.0.2.1  GOOD.test other # good.test2\n::1 good.test\nx good.test\n";
  const resolve = nameResolver({ servers, hosts, system });
  asked.length = 0;
  expect(await resolve("good.test")).toEqual([{ address: "192.0.2.1" }, { address: "::1" }]);
  expect(await resolve("inner")).toEqual([{ address: "10.0.0.1" }]);
  await expect(resolve("any.localhost")).rejects.toMatchObject({ code: "ENOTFOUND" });
  expect(asked).toEqual([]);
  await expect(resolve("nobody.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
  expect(asked).toEqual(["nobody.test", "nobody.test"]);
  expect(bySystem).toEqual(["inner", "any.localhost", "nobody.test"]);
});

test("the system is asked of one name at a time", async () => {
  let under = 0;
  let most = 0;
  const system: Resolve = async () => {
    most = Math.max(most, (under += 1));
    await new Promise((done) => setImmediate(done));
    under -= 1;
    return [{ address: "10.0.0.1" }];
  };
  const resolve = nameResolver({ servers, hosts: noHosts, system });
  await Promise.all(["a", "b", "c"].map(resolve));
  expect(most).toBe(1);
});

test("the machine's own sources know the machine", async () => {
  expect((await nameResolver()("localhost")).map(({ address }) => address)).toContain("127.0.0.1");
});
