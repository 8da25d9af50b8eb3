import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

/** A mail server on loopback that keeps what it gets. */
export interface MailServer {
  readonly url: string;
  /** whole messages, in the order they came */
  readonly received: { readonly to: string; readonly text: string }[];
  /** The newest link to an address, waiting for its letter; its kind and token. */
  linkTo(address: string, kind: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts one. */
export async function startMailServer(): Promise<MailServer> {
  const received: { to: string; text: string }[] = [];
  const post = new EventEmitter();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address).join(",");
        // long lines are broken by `=` at their end
        received.push({
          to,
          text: Buffer.concat(parts).toString("utf8").replaceAll("=\r\n", "").replaceAll("=3D", "="),
        });
        done();
        post.emit("letter");
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.server.address() as AddressInfo;
  const find = (address: string, kind: string): string | undefined =>
    received
      .filter(({ to }) => to === address)
      .flatMap(({ text }) => new RegExp(`#${kind}=([\\w-]+)`).exec(text)?.[1] ?? [])
      .at(-1);
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    async linkTo(address, kind) {
      for (;;) {
        const token = find(address, kind);
        if (token !== undefined) return token;
        await once(post, "letter", { signal: AbortSignal.timeout(20_000) });
      }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
