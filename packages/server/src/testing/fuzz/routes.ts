import { registry } from "../../channels/registry.ts";
import { callbackPrefix } from "../../channels/callback-address.ts";
import type { TestApi } from "../test-api.ts";
import type { JsonSchema } from "./values.ts";

/** The methods that routes have. */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A route as the cases see it. */
export interface Operation {
  readonly method: Method;
  /** as it is registered, parameters in braces */
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[];
  readonly body: JsonSchema | null;
  /** what the bodies are, where they are no JSON */
  readonly media: string | null;
  /** the answer goes on for as long as somebody listens */
  readonly streams: boolean;
  /** what it answers is no JSON */
  readonly plain: boolean;
  /** nobody has to sign in */
  readonly open: boolean;
}

interface Described {
  readonly parameters?: Operation["parameters"];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: JsonSchema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
  readonly security?: readonly object[];
}

/** Routes that take a body as it comes, which the reference does not describe. */
const uploads: Readonly<Record<string, string>> = { "/api/v2/imports": "text/csv" };

/** Every route of the server: those of the reference with their schemas, and those that providers and machines call. */
export function operationsOf(api: TestApi): Operation[] {
  const { paths } = api.server.app.swagger() as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  };
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses, security }]): Operation => {
      const taken = path in uploads ? { [uploads[path] as string]: {} } : requestBody?.content;
      const [[media, content] = [null, {}]] = Object.entries(taken ?? {});
      return {
        method: method.toUpperCase() as Method,
        path,
        parameters,
        body: media === null ? null : (content.schema ?? {}),
        media: media === "application/json" ? null : media,
        streams: JSON.stringify(responses).includes('"text/event-stream"'),
        plain: responses["200"]?.content !== undefined && !("application/json" in responses["200"].content),
        open: security === undefined || security.length === 0,
      };
    }),
  );
  const callbacks = registry.all.flatMap((provider) =>
    provider.callbacks.map((callback): Operation => ({
      method: callback.method,
      path: `${callbackPrefix}/${provider.name}/{channel}${callback.path}`,
      parameters: [{ name: "channel", in: "path", schema: { type: "string", format: "uuid" } }],
      body: callback.mediaType === null ? null : {},
      media: callback.mediaType,
      streams: false,
      plain: true,
      open: true,
    })),
  );
  const links: Operation = {
    method: "GET",
    path: "/downloads/{link}",
    parameters: [{ name: "link", in: "path", schema: { type: "string" } }],
    body: null,
    media: null,
    streams: false,
    plain: true,
    open: true,
  };
  const plain = ["/", "/healthz", "/readyz", "/json", "/api/v2/openapi.json", "/no/such/page"].map(
    (path): Operation => ({
      method: "GET",
      path,
      parameters: [],
      body: null,
      media: null,
      streams: false,
      plain: true,
      open: true,
    }),
  );
  return [...described, ...callbacks, links, ...plain];
}
