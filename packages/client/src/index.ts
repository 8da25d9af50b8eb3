export { type Client, createClient, type Received } from "./client.ts";
export { ApiProblem, type ProblemItem, Unreachable } from "./problem.ts";
export type { ClientOptions, Method, Request, RequestOptions } from "./request.ts";
export type {
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
  WorkflowVersionHead,
} from "./types.ts";
