import type { Things } from "./things.ts";

/**
 * How a route is asked in the matrix of rights. `{}` will do for one that takes no body; what stands in its address is
 * found by name (`:conversation`, or `:id` behind `/teams`).
 */
export interface Line {
  readonly body?: (it: Things) => object;
  /** what stands in the address, where the name does not say it */
  readonly params?: (it: Things) => Readonly<Record<string, string>>;
  readonly query?: (it: Things) => string;
  /** what an owner is answered for their own, where it is not 2xx */
  readonly answers?: number;
  /** what the owner did leaves nothing for others to do it to */
  readonly once?: true;
  /** asked by who comes with a token it is refused or invalid, whatever they may */
  readonly refused?: true;
  /** what it answers is no JSON, or never ends: it is only asked where it is refused, and has a test of its own */
  readonly unread?: true;
}

const day = 86_400_000;
const later = (): string => new Date(Date.now() + day).toISOString();
const tags = { body: () => ({ tags: ["x"] }) };
const text = { body: () => ({ text: "x" }) };
const document = (it: Things) => ({
  name: "New",
  kind: "manual",
  mailboxes: [it.mailbox],
  start: "end",
  steps: { end: { stop: true } },
});
/** Only of who came by a session, which the callers of the matrix did not. */
const session: Line = { refused: true };
/** There is none: each answers as if there were nothing, and so must another's. */
const upload = (line: Line): Line => ({ ...line, params: (it) => ({ import: it.customer }), answers: 404 });
const draft = (line: Line): Line => ({ ...line, params: () => ({ kind: "reply" }) });
const pair = (it: Things) => ({ customer: it.customer, other: it.otherCustomer });
/** Conditions over conversations and over customers. */
export const open = { field: "conversation.status", op: "is", value: "open" };
export const known = { field: "customer.first_name", op: "is_set" };
const job = (it: Things) => ({
  kind: "conversations.change",
  parameters: { selection: { ids: [it.conversation] }, command: "conversation.open", input: {} },
});
const named = { body: () => ({ name: "New" }) };

/** Every route of the native API; a route that is not here fails the test. Add a line with the route. */
export const matrixTable: Readonly<Record<string, Line>> = {
  "GET /me": {},

  "GET /account": session,
  "GET /account/sessions": session,
  "PATCH /account": session,
  "POST /account/email": session,
  "POST /account/organization": session,
  "POST /account/password": session,
  "POST /account/second-factor": session,
  "POST /account/second-factor/confirm": session,
  "POST /account/second-factor/disable": session,
  "POST /account/second-factor/recovery-codes": session,
  "POST /account/sessions/revoke-others": session,
  "POST /account/sessions/:id/revoke": { ...session, params: (it) => ({ account: it.user }) },

  "GET /invitations": {},
  "POST /invitations": { body: (it) => ({ user: it.user }), answers: 409 },
  "POST /invitations/:id/revoke": { params: (it) => ({ invitation: it.user }), answers: 404 },
  "POST /users/:id/reset-link": { answers: 404 },

  "GET /calendars": {},
  "GET /calendars/:id": {},
  "PATCH /calendars/:id": named,
  "POST /calendars": { body: () => ({ name: "New", calendar: { zone: "UTC", hours: {}, holidays: [] } }) },
  "POST /calendars/:id/archive": {},

  "GET /channels": {},
  "GET /channels/:id": {},
  "PATCH /channels/:id": named,
  "POST /channels": { body: (it) => ({ name: "New", kind: "sms", mailbox: it.mailbox }) },
  "POST /channels/:channel/messages": { body: () => ({ from: "+14155559876", text: "x" }) },
  "POST /channels/:id/archive": {},

  "GET /conversations": { query: (it) => `?customer=${it.customer}` },
  "GET /live": { unread: true },
  "GET /conversations/:conversation/attention": {},
  "POST /conversations/:conversation/attention": { body: () => ({ doing: "looking" }) },

  "GET /conversations/:conversation": {},
  "GET /conversations/:conversation/messages": {},
  "POST /conversations": { body: (it) => ({ channel: it.channel, to: "+14155559875" }) },
  "POST /conversations/:conversation/add_tags": tags,
  "POST /conversations/:conversation/assign": { body: (it) => ({ user: it.user }) },
  "POST /conversations/:conversation/close": {},
  "POST /conversations/:conversation/merge": { body: (it) => ({ into: it.otherConversation }) },
  "POST /conversations/:conversation/messages": text,
  "POST /conversations/:conversation/move": { body: (it) => ({ mailbox: it.mailbox }) },
  "POST /conversations/:conversation/notes": text,
  "POST /conversations/:conversation/open": {},
  "POST /conversations/:conversation/properties": { body: () => ({ name: "nothing", value: "x" }) },
  "POST /conversations/:conversation/remove_tags": tags,
  "POST /conversations/:conversation/set_pending": {},
  "POST /conversations/:conversation/snooze": { body: () => ({ until: later() }) },
  "POST /conversations/:conversation/topic": { body: () => ({ topic: "x" }) },
  "POST /conversations/:conversation/unassign": {},
  "POST /conversations/:conversation/mark_spam": {},
  "POST /conversations/:conversation/leave_behind": { body: (it) => ({ user: it.user }), answers: 409 },

  "DELETE /customers/:customer/properties/:name": { params: () => ({ name: "nothing" }) },
  "GET /customers": {},
  "GET /customers/:customer": {},
  "POST /customers": { body: () => ({ external_id: "matrix" }) },
  "POST /customers/:customer/add_tags": tags,
  "POST /customers/:customer/add_to_team": { body: (it) => ({ team: it.team }) },
  "POST /customers/:customer/assign": { body: (it) => ({ user: it.user }) },
  "POST /customers/:customer/close": {},
  "POST /customers/:customer/erase": {},
  "POST /customers/:customer/merge": { body: (it) => ({ into: it.otherCustomer }) },
  "POST /customers/:customer/properties": { body: () => ({ name: "nothing", value: "x" }) },
  "POST /customers/:customer/remove_from_team": { body: (it) => ({ team: it.team }) },
  "POST /customers/:customer/remove_tags": tags,
  "POST /customers/:customer/subscribe": {},
  "POST /customers/:customer/unassign": {},
  "POST /customers/:customer/unsubscribe": {},

  "GET /customers/:customer/notes": {},
  "GET /customers/:customer/timeline": {},
  "POST /customers/:customer/add_address": { body: () => ({ kind: "email", address: "matrix@example.com" }) },
  "POST /customers/:customer/make_address_primary": { body: () => ({ kind: "email", address: "matrix@example.com" }) },
  "POST /customers/:customer/notes": text,
  "POST /customers/:customer/remove_address": { body: () => ({ kind: "email", address: "matrix@example.com" }) },
  "POST /notes/:note": text,
  "POST /notes/:note/remove": { once: true },

  "GET /jobs": {},
  "GET /jobs/:job": { once: true },
  "GET /jobs/:job/refusals": { once: true },
  "POST /jobs": { body: job },
  "POST /jobs/:job/cancel": { once: true, answers: 409 },
  "POST /jobs/:job/pause": { once: true, answers: 409 },
  "POST /jobs/:job/resume": { once: true, answers: 409 },
  "POST /jobs/count": { body: job },
  "GET /jobs/:job/file": { once: true, answers: 404 },
  "POST /jobs/:job/link": { once: true, answers: 404 },
  "GET /jobs/:job/refusals.csv": { unread: true },
  "GET /attributes": { query: () => "?trigger=message.received" },
  "GET /imports/:import": upload({}),
  "DELETE /imports/:import": upload({}),
  "POST /imports/:import/preview": upload({ body: () => ({ mapping: ["phone"] }) }),
  "POST /imports": { answers: 415 },

  "GET /providers": {},

  "GET /customers/count": {},
  "GET /customers/duplicates": {},
  "POST /customers/duplicates/dismiss": { body: pair, answers: 404 },
  "POST /customers/duplicates/restore": { body: pair, answers: 404 },
  "GET /customers/:customer/merge_preview": { query: (it) => `?into=${it.otherCustomer}` },

  "GET /conversations/:conversation/own": {},
  "POST /conversations/:conversation/read": {},
  "POST /conversations/:conversation/unread": {},
  "POST /conversations/:conversation/follow": {},
  "POST /conversations/:conversation/unfollow": {},
  "GET /conversations/:conversation/drafts/:kind": draft({}),
  "PUT /conversations/:conversation/drafts/:kind": draft({ body: () => ({ version: 0, text: "x" }) }),
  "POST /conversations/:conversation/drafts/:kind/discard": draft({ body: () => ({ version: 0 }), answers: 409 }),
  "POST /conversations/:conversation/saved-replies/:reply/use": {},

  "GET /folders": {},
  "GET /folders/counts": {},
  "GET /folders/:folder/conversations": {},
  "PATCH /folders/:folder": named,
  "POST /folders": { body: () => ({ name: "New", filter: open }) },
  "DELETE /folders/:folder": { once: true },
  "POST /filters/check": { body: () => ({ filter: open }) },

  "GET /saved-replies": {},
  "PATCH /saved-replies/:reply": named,
  "POST /saved-replies": { body: () => ({ name: "New", text: "Hello" }) },
  "DELETE /saved-replies/:reply": { once: true },

  "GET /segments": {},
  "GET /segments/:id": {},
  "PATCH /segments/:id": named,
  "POST /segments": { body: () => ({ name: "New", filter: known }) },
  "POST /segments/:id/archive": {},

  "GET /deliveries": {},
  "GET /effects": {},
  "POST /effects/:effect/retry": {},
  "GET /parked": {},
  "POST /parked/:parked/resolve": {},
  "POST /parked/:parked/retry": { answers: 409 },

  "GET /events": { query: (it) => `?conversation=${it.conversation}` },
  "GET /mailboxes": {},
  "GET /mailboxes/:id": {},
  "PATCH /mailboxes/:id": named,
  "POST /mailboxes": named,
  "POST /mailboxes/:id/archive": { answers: 409 },

  "GET /messages/:message": {},
  "POST /messages/:message/delivery": { body: () => ({ delivery: "delivered" }), answers: 409 },
  "POST /messages/:message/tag": tags,
  "POST /messages/:message/untag": tags,

  "GET /organization": {},
  "PATCH /organization": named,

  "GET /properties": {},
  "GET /properties/:id": {},
  "PATCH /properties/:id": { body: () => ({ options: [] }) },
  "POST /properties": { body: () => ({ noun: "customer", name: "another", type: "text" }) },
  "POST /properties/:id/archive": {},

  "GET /roles": {},
  "GET /roles/:id": {},
  "PATCH /roles/:id": named,
  "POST /roles": { body: () => ({ name: "New", rights: {} }) },
  "POST /roles/:id/archive": {},

  "GET /runs": { query: (it) => `?conversation=${it.conversation}` },
  "GET /runs/:run": {},
  "POST /runs/:run/cancel": { once: true },

  "GET /stats": {},
  "GET /stats/days": { query: () => "?days=1" },

  "GET /teams": {},
  "GET /teams/:id": {},
  "PATCH /teams/:id": named,
  "POST /teams": named,
  "POST /teams/:id/archive": {},

  "GET /tokens": {},
  "POST /tokens": named,
  "POST /tokens/:id/revoke": {},

  "GET /presences": {},
  "GET /users/:id/presence": {},
  "GET /users": {},
  "GET /users/:id": {},
  "PATCH /users/:id": named,
  "POST /users": named,
  "POST /users/:id/archive": {},
  "POST /users/:user/presence": { body: () => ({ status: "online" }) },

  "GET /workflows": {},
  "GET /workflows/:workflow": {},
  "GET /workflows/:workflow/diff": { query: () => "?from=1" },
  "GET /workflows/:workflow/versions": {},
  "GET /workflows/:workflow/versions/:number": { params: () => ({ number: "1" }) },
  "POST /workflows": { body: document },
  "POST /workflows/:workflow/archive": {},
  "POST /workflows/:workflow/disable": {},
  "POST /workflows/:workflow/enable": {},
  "POST /workflows/:workflow/publish": {},
  "POST /workflows/:workflow/runs": { body: (it) => ({ conversation: it.conversation }) },
  "POST /workflows/order": { body: (it) => ({ workflows: [it.workflow] }) },
  "POST /workflows/validate": { body: document },
  "PUT /workflows/:workflow": { body: document },
};
