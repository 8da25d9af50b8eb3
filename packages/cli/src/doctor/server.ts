import { ApiProblem, createClient } from "@threadmill/client";
import { type Finding, finder, inLine, type Patient } from "./check.ts";

const timeoutMs = 5000;

/** Whether the server answers and can work, and whether the token is one of its own. */
export async function checkServer({ config, fetch }: Patient): Promise<Finding[]> {
  const { ok, fail } = finder("server");
  const health = await probe(fetch, `${config.url}/healthz`);
  if (health !== "ok") return [fail(`nothing answers at ${config.url}: ${health}`)];
  const ready = await probe(fetch, `${config.url}/readyz`);
  if (ready !== "ok")
    return [fail(`${config.url} answers but cannot work: ${ready}`), await checkToken({ config, fetch })];
  return [ok(`${config.url} is ready`), await checkToken({ config, fetch })];
}

async function checkToken({ config, fetch }: Pick<Patient, "config" | "fetch">): Promise<Finding> {
  const { ok, warn, fail } = finder("token");
  if (config.token === undefined) return warn("THREADMILL_TOKEN is not set; commands that ask the server need it");
  try {
    const { user, organization } = await createClient({
      url: config.url,
      token: config.token,
      fetch,
      attempts: 1,
      timeoutMs,
    }).me();
    return ok(`${user.name} of ${organization.name}`);
  } catch (error) {
    return fail(
      error instanceof ApiProblem && error.status === 401 ? "the server does not know THREADMILL_TOKEN" : inLine(error),
    );
  }
}

/** "ok", or why not. */
async function probe(fetch: Patient["fetch"], url: string): Promise<string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (answer.ok) return "ok";
    const { reason } = (await answer.json().catch(() => ({}))) as { reason?: string };
    return reason ?? `it answered ${answer.status}`;
  } catch (error) {
    return inLine(error instanceof Error && error.cause instanceof Error ? error.cause : error);
  }
}
