import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createNetServer, type Server as NetServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createOutside, type Outside, type OutsideOptions, type OutsideRequest } from "./client.ts";
import type { Resolve } from "./names.ts";
import { testCertificate } from "./test-certificate.ts";

const open: (Server | NetServer | Outside)[] = [];
afterEach(() => {
  for (const each of open.splice(0)) {
    if ("closeAllConnections" in each) each.closeAllConnections();
    each.close();
  }
});

interface Local {
  readonly port: number;
  readonly seen: {
    readonly method: string;
    readonly url: string;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
  }[];
}

/** A server on an address of this machine; Linux has all of 127.0.0.0/8. */
async function serve(answer: RequestListener = says(200, "fine"), address = "127.0.0.1", port = 0): Promise<Local> {
  const seen: Local["seen"] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  });
  return { port: await listen(server, address, port), seen };
}

async function listen(server: Server | NetServer, address = "127.0.0.1", port = 0): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return (server.address() as AddressInfo).port;
}

const says =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  (_request: unknown, response: ServerResponse): void =>
    void response.writeHead(status, headers).end(body);

function outside(options: Partial<OutsideOptions> = {}): Outside {
  const made = createOutside({ allowed: ["127.0.0.1"], ...options });
  open.push(made);
  return made;
}

/** Names as a hostile name server would tell them: each time the next list of addresses. */
function names(answers: Readonly<Record<string, readonly (readonly string[])[]>>): Resolve & { asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolve = async (name) => {
    const turns = answers[name];
    if (turns === undefined) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
    const turn = turns[Math.min(asked.filter((each) => each === name).length, turns.length - 1)] as readonly string[];
    asked.push(name);
    return turn.map((address) => ({ address }));
  };
  return Object.assign(resolve, { asked });
}

const ask = async (request: OutsideRequest | string, options: Partial<OutsideOptions> = {}) => {
  const answer = await outside(options).send(typeof request === "string" ? { url: request } : request);
  return answer.ok ? { ...answer, body: answer.body.toString() } : answer;
};

describe("where a request may go", () => {
  const notAllowed = { ok: false, code: "address_not_allowed", sent: false };

  test.each([
    "http://127.0.0.1:9/",
    "http://127.1:9/",
    "http://0x7f000001:9/",
    "http://2130706433:9/",
    "http://127.0.0.1.:9/",
    "http://[::1]:9/",
    "http://[::]:9/",
    "http://0.0.0.0:9/",
    "http://[::ffff:127.0.0.1]:9/",
    "http://[64:ff9b::7f00:1]:9/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://10.0.0.1/",
    "http://localhost:9/",
  ])("%s is refused before anything is connected", async (url) => {
    expect(await ask(url, { allowed: [] })).toMatchObject(notAllowed);
  });

  test("a name that leads to this machine reaches nobody", async () => {
    const inner = await serve();
    const resolve = names({ "inner.test": [["127.0.0.1"]], "both.test": [["10.0.0.1", "127.0.0.1"]] });
    for (const host of ["inner.test", "both.test", "127.0.0.1"])
      expect(await ask(`http://${host}:${inner.port}/`, { allowed: [], resolve })).toMatchObject(notAllowed);
    expect(inner.seen).toEqual([]);
  });

  test("a name is asked for once, and what was checked is what is connected to", async () => {
    const permitted = await serve(says(200, "permitted"));
    const secret = await serve(says(200, "secret"), "127.0.0.2", permitted.port);
    const resolve = names({ "rebinding.test": [["127.0.0.1"], ["127.0.0.2"]] });
    const url = `http://rebinding.test:${permitted.port}/`;
    expect(await ask(url, { resolve })).toMatchObject({ ok: true, body: "permitted" });
    expect(resolve.asked).toHaveLength(1);
    expect(await ask(url, { resolve })).toMatchObject(notAllowed);
    expect(secret.seen).toEqual([]);
  });

  test("of several addresses only those that may be are tried", async () => {
    const permitted = await serve(says(200, "permitted"));
    const secret = await serve(says(200, "secret"), "127.0.0.2", permitted.port);
    const resolve = names({ "several.test": [["127.0.0.2", "::1", "127.0.0.1"]] });
    expect(await ask(`http://several.test:${permitted.port}/`, { resolve })).toMatchObject({ body: "permitted" });
    expect(secret.seen).toEqual([]);
  });

  test("nor does a redirect lead there", async () => {
    const inner = await serve(says(200, "secret"), "127.0.0.2");
    const resolve = names({ "inner.test": [["127.0.0.2"]] });
    for (const location of [`http://127.0.0.2:${inner.port}/`, `http://inner.test:${inner.port}/`]) {
      const door = await serve(says(302, "", { location }));
      const request = { url: `http://127.0.0.1:${door.port}/`, limits: { redirects: 3 } };
      expect(await ask(request, { resolve })).toMatchObject({ ...notAllowed, sent: true });
    }
    expect(inner.seen).toEqual([]);
  });

  test.each(["", "nonsense", "ftp://a.test/", "file:///etc/passwd", "http://user:pass@a.test/", "http://@:80/"])(
    "%s is no address",
    async (url) => {
      expect(await ask(url)).toMatchObject({ ok: false, code: "address_invalid", sent: false });
    },
  );
});

describe("an answer", () => {
  test("comes back with status, headers and body, and the connection is used again", async () => {
    const there = await serve(says(418, "tea", { "x-kind": "pot" }));
    const client = outside();
    const request = {
      url: `http://127.0.0.1:${there.port}/a?b=c`,
      method: "POST",
      headers: { "content-type": "text/plain" },
      secretHeaders: { authorization: "Bearer s" },
      body: "Grüße",
    } as const;
    expect(await client.send(request)).toMatchObject({ ok: true, status: 418, headers: { "x-kind": "pot" } });
    expect(await client.send(request)).toMatchObject({ ok: true, status: 418 });
    expect(there.seen).toMatchObject([
      { method: "POST", url: "/a?b=c", body: "Grüße", headers: { authorization: "Bearer s" } },
      { body: "Grüße" },
    ]);
  });

  test("that is too large is cut off, whether it says so or not", async () => {
    const big = "x".repeat(2000);
    for (const headers of [{ "content-length": "2000" }, {}] as Record<string, string>[]) {
      const there = await serve(says(200, big, headers));
      const url = `http://127.0.0.1:${there.port}/`;
      expect(await ask({ url, limits: { answerBytes: 1999 } })).toMatchObject({ code: "answer_too_large", sent: true });
      expect(await ask({ url, limits: { answerBytes: 2000 } })).toMatchObject({ ok: true, body: big });
    }
    let written = 0;
    const endless = await serve((_request, response) => {
      const more = (): void => {
        if (response.destroyed) return;
        written += 65_536;
        response.write(Buffer.alloc(65_536), more);
      };
      more();
    });
    const url = `http://127.0.0.1:${endless.port}/`;
    expect(await ask({ url, limits: { answerBytes: 100_000 } })).toMatchObject({ code: "answer_too_large" });
    expect(written).toBeLessThan(50_000_000);
  });

  test("that does not come, or does not end, is given up in time", async () => {
    const silent = await serve(() => {});
    const dripping = await serve((_request, response) => {
      const drip = (): void => void (response.destroyed || response.write(".", () => setImmediate(drip)));
      drip();
    });
    for (const { port } of [silent, dripping]) {
      const url = `http://127.0.0.1:${port}/`;
      expect(await ask({ url, limits: { wholeMs: 100 } })).toMatchObject({ ok: false, code: "timed_out", sent: true });
    }
  });

  test.each<[string, RequestListener]>([
    ["before it began", (request) => void request.socket.destroy()],
    [
      "in its middle",
      (_request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("half", () => response.socket?.destroy());
      },
    ],
  ])("that breaks off %s is told as such", async (_name, answer) => {
    const there = await serve(answer);
    expect(await ask(`http://127.0.0.1:${there.port}/`)).toMatchObject({ code: "connection_broken", sent: true });
  });

  test("that is no HTTP is told as such", async () => {
    const odd = createNetServer((socket) => void socket.end("220 mail.test ready\r\n"));
    const port = await listen(odd);
    expect(await ask(`http://127.0.0.1:${port}/`)).toMatchObject({ code: "connection_broken", sent: true });
  });
});

describe("what is not reached was not sent", () => {
  test("a port where nobody listens, a name that nobody has", async () => {
    const { port } = await serve();
    for (const each of open.splice(0)) each.close();
    expect(await ask(`http://127.0.0.1:${port}/`)).toMatchObject({ code: "not_reached", sent: false });
    expect(await ask("http://nobody.test/", { resolve: names({}) })).toMatchObject({
      code: "name_not_found",
      sent: false,
    });
  });

  test("a server that speaks no TLS, and one that never says anything", async () => {
    const plain = await serve();
    const request = { url: `https://127.0.0.1:${plain.port}/`, method: "POST", body: "x" } as const;
    expect(await ask(request)).toMatchObject({ code: "not_reached", sent: false });
    const mute = await listen(createNetServer(() => {}));
    expect(await ask({ ...request, url: `https://127.0.0.1:${mute}/`, limits: { connectMs: 100 } })).toMatchObject({
      code: "not_reached",
      sent: false,
    });
  });

  test("a header that cannot be said", async () => {
    const { port, seen } = await serve();
    const url = `http://127.0.0.1:${port}/`;
    expect(await ask({ url, headers: { "x-a": "1\r\nx-b: 2" } })).toMatchObject({ code: "address_invalid" });
    expect(seen).toEqual([]);
  });

  test("the messages name the host alone", async () => {
    const answer = await ask({ url: "http://127.0.0.9:1/path-s3cret?key=s3cret", secretHeaders: { a: "s3cret" } });
    expect(answer).toMatchObject({ ok: false, message: "127.0.0.9:1 is no public address" });
    const refused = await ask({ url: "http://127.0.0.1:1/path-s3cret?key=s3cret" });
    expect(refused).toMatchObject({ ok: false, message: "127.0.0.1:1 cannot be reached (ECONNREFUSED)" });
  });
});

describe("over TLS", () => {
  async function secure() {
    const seen: string[] = [];
    const server = createSecureServer(testCertificate, (request, response) => {
      seen.push(String(request.headers["authorization"]));
      response.end("private");
    });
    return { port: await listen(server), seen };
  }
  const resolve = names({ "outside.test": [["127.0.0.1"]], "other.test": [["127.0.0.1"]] });
  const authorities = [testCertificate.cert];
  const secretHeaders = { authorization: "s3cret" };

  test("a trusted certificate for the name is talked to, on one connection", async () => {
    const { port, seen } = await secure();
    const client = outside({ resolve, authorities });
    for (let n = 0; n < 2; n += 1)
      expect(await client.send({ url: `https://outside.test:${port}/`, secretHeaders })).toMatchObject({
        ok: true,
        body: Buffer.from("private"),
      });
    expect(seen).toEqual(["s3cret", "s3cret"]);
  });

  test.each([
    ["nobody trusts", "outside.test", []],
    ["is for another name", "other.test", authorities],
    ["is for no address in figures", "127.0.0.1", authorities],
  ])("one that %s is told nothing", async (_name, host, trusted) => {
    const { port, seen } = await secure();
    const options = trusted.length > 0 ? { resolve, authorities: trusted } : { resolve };
    expect(
      await ask({ url: `https://${host}:${port}/`, method: "POST", secretHeaders, body: "x" }, options),
    ).toMatchObject({
      ok: false,
      code: "not_reached",
      sent: false,
    });
    expect(seen).toEqual([]);
  });
});

describe("a redirect", () => {
  const limits = { redirects: 2 };
  const secretHeaders = { authorization: "Bearer s3cret" };
  /** Two origins on this machine; the first redirects to the second. */
  async function pair(status: number) {
    const second = await serve(says(200, "there"));
    const first = await serve(says(status, "", { location: `http://127.0.0.1:${second.port}/next` }));
    return { url: `http://127.0.0.1:${first.port}/`, second };
  }

  test("is an answer like any other where none is to be followed", async () => {
    const { url, second } = await pair(302);
    expect(await ask({ url, secretHeaders })).toMatchObject({ ok: true, status: 302 });
    expect(second.seen).toEqual([]);
  });

  test("to another origin leaves the secrets behind", async () => {
    const { url, second } = await pair(302);
    expect(await ask({ url, secretHeaders, headers: { "x-open": "1" }, limits })).toMatchObject({ body: "there" });
    expect(second.seen[0]?.headers["authorization"]).toBeUndefined();
    expect(second.seen[0]?.headers["x-open"]).toBe("1");
    expect(JSON.stringify(second.seen)).not.toContain("s3cret");
  });

  test("within the origin keeps them", async () => {
    const there = await serve((request, response) =>
      request.url === "/"
        ? says(307, "", { location: "/next" })(request, response)
        : says(200, "done")(request, response),
    );
    const url = `http://127.0.0.1:${there.port}/`;
    expect(await ask({ url, method: "POST", body: "b", secretHeaders, limits })).toMatchObject({
      ok: true,
      body: "done",
      url: `${url}next`,
    });
    expect(there.seen[1]).toMatchObject({ method: "POST", body: "b", headers: secretHeaders });
  });

  test("there and back does not bring the secrets along", async () => {
    let back = "";
    const second = await serve((request, response) => says(302, "", { location: back })(request, response));
    const first = await serve((request, response) =>
      request.url === "/"
        ? says(302, "", { location: `http://127.0.0.1:${second.port}/` })(request, response)
        : says(200, "home")(request, response),
    );
    back = `http://127.0.0.1:${first.port}/home`;
    expect(await ask({ url: `http://127.0.0.1:${first.port}/`, secretHeaders, limits })).toMatchObject({
      body: "home",
    });
    expect(first.seen.map(({ headers }) => headers["authorization"])).toEqual(["Bearer s3cret", undefined]);
  });

  test.each([
    [301, "POST", "GET"],
    [302, "POST", "GET"],
    [303, "PUT", "GET"],
    [302, "HEAD", "HEAD"],
  ] as const)("%i turns %s into %s without a body", async (status, method, expected) => {
    const { url, second } = await pair(status);
    const body = method === "HEAD" ? {} : { body: "b", headers: { "content-type": "text/plain" } };
    expect(await ask({ url, method, ...body, limits })).toMatchObject({ ok: true, status: 200 });
    expect(second.seen).toMatchObject([{ method: expected, body: "" }]);
    expect(second.seen[0]?.headers["content-type"]).toBeUndefined();
  });

  test.each([307, 308])("%i does not take a body to another origin", async (status) => {
    const { url, second } = await pair(status);
    expect(await ask({ url, method: "POST", body: "b", limits })).toMatchObject({
      ok: false,
      code: "redirect_refused",
      sent: true,
    });
    expect(second.seen).toEqual([]);
  });

  test.each(["ftp://a.test/", "http://user:pass@127.0.0.1/", "javascript:1"])("to %s is refused", async (location) => {
    const { port } = await serve(says(302, "", { location }));
    expect(await ask({ url: `http://127.0.0.1:${port}/`, limits })).toMatchObject({ code: "redirect_refused" });
  });

  test("without end is given up", async () => {
    const round = await serve(says(302, "", { location: "/" }));
    expect(await ask({ url: `http://127.0.0.1:${round.port}/`, limits })).toMatchObject({ code: "too_many_redirects" });
    expect(round.seen).toHaveLength(3);
  });

  test("to nowhere is an answer", async () => {
    for (const headers of [{}, { location: "http://[" }] as Record<string, string>[]) {
      const { port } = await serve(says(302, "lost", headers));
      expect(await ask({ url: `http://127.0.0.1:${port}/`, limits })).toMatchObject({ ok: true, status: 302 });
    }
  });
});
