import type { FastifyInstance } from "fastify";
import { welcomeScript } from "./script.ts";

/** What the page may do: its own script and style, and asking us. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Threadmill</title>
<link rel="stylesheet" href="welcome.css">
<main>
  <h1 id="title">Threadmill</h1>
  <p id="about">This page needs JavaScript.</p>
  <form id="form" hidden>
    <label data-field="name">Name <input name="name" autocomplete="name" maxlength="200"></label>
    <label data-field="email">E-mail address <input name="email" type="email" autocomplete="username" maxlength="320"></label>
    <label data-field="password">Password <input name="password" type="password" maxlength="200"></label>
    <label data-field="code">Code <input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="60"></label>
    <button id="go">Go on</button>
    <button id="sso" type="button" hidden></button>
  </form>
  <p id="problem" role="alert"></p>
</main>
<script src="welcome.js" type="module"></script>
</html>
`;

const css = `:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif }
body { margin: 0; display: grid; min-height: 100vh; place-items: center }
main { width: min(360px, 90vw) }
h1 { font-size: 20px }
label { display: block; margin-bottom: 12px }
label[hidden] { display: none }
input { display: block; box-sizing: border-box; width: 100%; padding: 8px; font: inherit }
button { padding: 8px 16px; font: inherit }
#problem { color: #c33 }
`;

/**
 * A plain page for the links that are sent and shown: the first owner, invitations, new passwords, confirmed addresses; and
 * for signing in. The web application takes its place; what it asks is the same.
 */
export function registerWelcome(app: FastifyInstance): void {
  const pages = [
    { url: "/welcome", type: "text/html; charset=utf-8", text: html },
    { url: "/welcome.css", type: "text/css; charset=utf-8", text: css },
    { url: "/welcome.js", type: "text/javascript; charset=utf-8", text: welcomeScript },
  ];
  for (const { url, type, text } of pages) {
    app.get(url, { schema: { hide: true } }, async (_request, reply) =>
      reply
        .header("content-security-policy", policy)
        .type(type)
        .serializer((body: unknown) => body as string)
        .send(text),
    );
  }
}
