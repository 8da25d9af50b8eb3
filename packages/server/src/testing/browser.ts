import type { ApiAnswer, TestApi } from "./test-api.ts";
import { testPublicUrl } from "./test-api.ts";
import { pageHeader } from "../identity/own-pages.ts";

/** A browser of a test: it keeps cookies, and asks as a page of ours does. */
export interface Browser {
  /** what it has of us, by name */
  readonly cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<ApiAnswer>;
  post(path: string, body?: object, headers?: Record<string, string>): Promise<ApiAnswer>;
  /** Every cookie that was ever set, whole. */
  readonly heard: string[];
  /** Takes in the cookies of an answer that it got by other means. */
  take(headers: ApiAnswer["headers"]): void;
  cookieHeader(): string;
}

/** Opens a browser; the address that it comes from may be told, where the server trusts the test as its proxy. */
export function openBrowser(api: TestApi, address?: string): Browser {
  const cookies = new Map<string, string>();
  const heard: string[] = [];
  const cookieHeader = (): string => [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const take = (headers: ApiAnswer["headers"]): void => {
    for (const cookie of [headers["set-cookie"] ?? []].flat()) {
      heard.push(cookie);
      const [pair = "", ...attributes] = cookie.split(";");
      const [name = "", value = ""] = pair.split("=", 2);
      if (attributes.some((one) => /^\s*max-age=0$/i.test(one)) || value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
  };
  const ask = async (method: "GET" | "POST", path: string, body: object | undefined, more: Record<string, string>) => {
    const headers = {
      cookie: cookieHeader(),
      origin: testPublicUrl,
      [pageHeader]: "1",
      "user-agent": "Test browser",
      ...(address !== undefined && { "x-forwarded-for": address }),
      ...more,
    };
    const answer = await api.call(method, path, { token: null, headers, ...(body !== undefined && { body }) });
    take(answer.headers);
    return answer;
  };
  return {
    cookies,
    heard,
    take,
    cookieHeader,
    get: (path, headers = {}) => ask("GET", path, undefined, headers),
    post: (path, body = {}, headers = {}) => ask("POST", path, body, headers),
  };
}
