import { createTransport } from "nodemailer";
import type { Log } from "../observe/log.ts";
import type { Clock } from "../process/clock.ts";

/** A letter of the system itself. */
export interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends what the system itself has to say to people who work here; nothing of customers goes this way. */
export interface SystemMail {
  /** whether there is a way to send at all */
  readonly configured: boolean;
  /** Sends a letter; tries again a few times. False when it did not go out, which the log then tells without its text. */
  send(letter: Letter): Promise<boolean>;
  /** Lets go of its connections. */
  close(): void;
}

/** How mail goes out. */
export interface MailOptions {
  /** `smtp://user:password@host:port` or `smtps://...`; undefined: it does not */
  readonly url: string | undefined;
  readonly from: string;
  readonly log: Log;
  readonly clock: Clock;
}

const pausesMs = [1000, 5000];
const timeoutMs = 20_000;

/** The system's mail, by SMTP. */
export function createMail({ url, from, log, clock }: MailOptions): SystemMail {
  if (url === undefined) return { configured: false, send: async () => false, close() {} };
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // a letter's text is ours; nothing in it may make the server read files or fetch addresses
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    configured: true,
    async send(letter) {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await transport.sendMail({ from, ...letter });
          return true;
        } catch (error) {
          const pause = pausesMs[attempt];
          if (pause === undefined) {
            log.error({ err: error, subject: letter.subject }, "a letter could not be sent");
            return false;
          }
          await clock.sleep(pause);
        }
      }
    },
    close: () => transport.close(),
  };
}
