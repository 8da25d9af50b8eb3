import { Agent, request } from "node:http";
import { message, type Tenant } from "./installation.ts";

/** Sends messages to a server over connections that stay open; cheap, as it shares the cores with the server. */
export interface HttpLoad {
  /** Sends the n-th message and waits for its answer. */
  send(n: number): Promise<void>;
  close(): void;
}

/** Opens a load on a server and its organizations. */
export function openHttpLoad(url: string, tenants: readonly Tenant[], sockets = 256): HttpLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets, maxFreeSockets: sockets });
  const { hostname, port } = new URL(url);
  return {
    send(n) {
      const { channel, token } = tenants[n % tenants.length] as Tenant;
      const body = JSON.stringify(message(n));
      return new Promise((resolve, reject) => {
        const sent = request(
          {
            agent,
            hostname,
            port,
            method: "POST",
            path: `/api/v2/channels/${channel}/messages`,
            headers: {
              authorization: `Bearer ${token}`,
              "content-type": "application/json",
              "content-length": Buffer.byteLength(body),
            },
          },
          (answer) => {
            answer.resume();
            answer.on("end", () =>
              answer.statusCode === 201
                ? resolve()
                : reject(new Error(`Message ${n} was answered ${answer.statusCode}`)),
            );
          },
        );
        sent.on("error", reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
