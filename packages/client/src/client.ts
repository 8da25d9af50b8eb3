import type { Channel, Conversation, Message, Run, WorkflowDocument } from "@threadmill/core";
import { type ClientOptions, type Request, requester } from "./request.ts";
import type {
  CommandAnswer,
  Me,
  Page,
  PageAsked,
  Stats,
  Workflow,
  WorkflowHead,
  WorkflowProblem,
  WorkflowPublished,
  WorkflowVersion,
} from "./types.ts";

/** The API of a Threadmill server, as the organization and user that a token speaks for. */
export interface Client {
  readonly url: string;
  /** any route, below `/api/v2` */
  readonly request: Request;
  /** the items of a list, page after page */
  each<T>(path: string, query?: { readonly [name: string]: string | number | boolean | undefined }): AsyncGenerator<T>;
  me(): Promise<Me>;
  /** counts of everything, or of what came after an instant */
  stats(since?: string): Promise<Stats>;
  readonly channels: { list(asked?: PageAsked): Promise<Page<Channel>> };
  readonly conversations: {
    get(conversation: string): Promise<Conversation>;
    list(asked?: PageAsked): Promise<Page<Conversation>>;
    start(input: {
      channel: string;
      to: string;
      subject?: string;
    }): Promise<CommandAnswer<{ conversation: string; customer: string }>>;
  };
  readonly messages: {
    /** a customer's message comes in by a channel (id or short name) */
    receive(
      channel: string,
      input: { from: string; text: string; provider_id?: string },
    ): Promise<CommandAnswer<Received>>;
    /** we write to the customer of a conversation */
    send(conversation: string, input: { text: string }): Promise<CommandAnswer<{ message: string }>>;
    list(conversation: string, asked?: PageAsked): Promise<Page<Message>>;
  };
  readonly runs: {
    get(run: string): Promise<Run>;
    list(asked?: PageAsked & { workflow?: string; conversation?: string; status?: Run["status"] }): Promise<Page<Run>>;
  };
  readonly workflows: {
    /** by id or short name */
    get(workflow: string): Promise<Workflow>;
    list(asked?: PageAsked): Promise<Page<WorkflowHead>>;
    version(workflow: string, number: number): Promise<WorkflowVersion>;
    validate(document: unknown): Promise<{ publishable: boolean; problems: readonly WorkflowProblem[] }>;
    create(document: WorkflowDocument | object, asked?: { publish?: boolean; draft?: boolean }): Promise<Workflow>;
    replace(workflow: string, document: WorkflowDocument | object, asked?: { draft?: boolean }): Promise<Workflow>;
    publish(workflow: string, input?: { waiting?: "stay" | "cancel" }): Promise<WorkflowPublished>;
  };
}

/** What answers have at least, by which those of another server are told. */
const pageFields = ["items"];

/** A page, or a list that is short and whole. */
type Listed<T> = Pick<Page<T>, "items"> & Partial<Page<T>>;
const commandFields = ["result"];
const rowFields = ["id"];

/** What became of a message that came in. */
export interface Received {
  readonly message: string;
  readonly conversation: string;
  readonly customer: string;
  readonly duplicate: boolean;
}

/**
 * Makes a client. Connections are kept open between requests; a request that got no answer or a 503 is sent again, a POST
 * with the same key so that it is done once. Errors are thrown: `ApiProblem` for an answer, `Unreachable` for none.
 */
export function createClient(options: ClientOptions): Client {
  const request = requester(options);
  const at = (...parts: string[]): string => parts.map((part) => `/${encodeURIComponent(part)}`).join("");
  const list =
    <T>(path: string) =>
    (query?: object) =>
      request<Page<T>>("GET", path, undefined, { query: { ...query }, fields: pageFields });

  return {
    url: options.url,
    request,
    async *each<T>(path: string, query: { readonly [name: string]: string | number | boolean | undefined } = {}) {
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page: Listed<T> = await request<Listed<T>>("GET", path, undefined, {
          query: { limit: 100, ...query, cursor },
          fields: pageFields,
        });
        yield* page.items;
        cursor = page.next_cursor ?? null;
      }
    },
    me: () => request("GET", "/me", undefined, { fields: ["user", "organization"] }),
    stats: (since) => request("GET", "/stats", undefined, { query: { since }, fields: ["at"] }),
    channels: { list: list<Channel>("/channels") },
    conversations: {
      get: (conversation) => request("GET", at("conversations", conversation), undefined, { fields: rowFields }),
      list: list<Conversation>("/conversations"),
      start: (input) => request("POST", "/conversations", input, { fields: commandFields }),
    },
    messages: {
      receive: (channel, input) =>
        request("POST", at("channels", channel, "messages"), input, { fields: commandFields }),
      send: (conversation, input) =>
        request("POST", at("conversations", conversation, "messages"), input, { fields: commandFields }),
      list: (conversation, query) => list<Message>(at("conversations", conversation, "messages"))(query),
    },
    runs: { get: (run) => request("GET", at("runs", run), undefined, { fields: rowFields }), list: list<Run>("/runs") },
    workflows: {
      get: (workflow) => request("GET", at("workflows", workflow), undefined, { fields: rowFields }),
      list: list<WorkflowHead>("/workflows"),
      version: (workflow, number) =>
        request("GET", at("workflows", workflow, "versions", String(number)), undefined, { fields: rowFields }),
      validate: (document) => request("POST", "/workflows/validate", document, { fields: ["problems"] }),
      create: (document, query) => request("POST", "/workflows", document, { query: { ...query }, fields: rowFields }),
      replace: (workflow, document, query) =>
        request("PUT", at("workflows", workflow), document, { query: { ...query }, fields: rowFields }),
      publish: (workflow, input = {}) =>
        request("POST", at("workflows", workflow, "publish"), input, { fields: ["version"] }),
    },
  };
}
