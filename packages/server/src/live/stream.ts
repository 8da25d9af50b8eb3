import type { ServerResponse } from "node:http";
import type { SettingsIndex } from "@threadmill/core";
import type { Caller } from "../http/auth.ts";
import { type Reader, sse } from "./feed.ts";
import { type Sight, sightOf } from "./sight.ts";

/** Why a stream is ended by the server. A page comes back with what it saw last, unless it is not wanted any more. */
export type Ending = "shutting_down" | "unauthorized" | "too_slow";

/** What a page holds is not to be trusted any more: it reads anew what it shows, and goes on from the given number. */
export type ReloadReason = "too_far_behind" | "unknown_place" | "rights_changed";

/** How long a browser waits before it comes back, in ms. */
const retryMs = 2000;

/** An open answer to `GET /live`: whatever it is sent goes out at once, or it is cut off. */
export class Stream implements Reader {
  at = 0;
  begun = false;
  sight: Sight;
  readonly caller: Caller;
  readonly #response: ServerResponse;
  readonly #onRoom: (stream: Stream) => void;
  #fullSince: number | null = null;

  constructor(response: ServerResponse, caller: Caller, sight: Sight, onRoom: (stream: Stream) => void) {
    this.#response = response;
    this.caller = caller;
    this.sight = sight;
    this.#onRoom = onRoom;
  }

  get full(): boolean {
    return this.#fullSince !== null;
  }

  get closed(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  /** Begins the answer, in a form that no proxy holds back. */
  open(headers: Readonly<Record<string, string | number | string[] | undefined>>): void {
    this.#response.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    this.#response.write(`retry: ${retryMs}\n\n`);
  }

  send(chunk: Buffer | string): void {
    if (this.closed) return;
    if (this.#response.write(chunk) || this.#fullSince !== null) return;
    this.#fullSince = performance.now();
    this.#response.once("drain", () => {
      this.#fullSince = null;
      this.#onRoom(this);
    });
  }

  /** Says where the stream begins. */
  ready(at: number, resumed: boolean): void {
    this.at = at;
    this.begun = true;
    this.send(sse("ready", JSON.stringify({ seq: at, resumed }), at));
  }

  reload(at: number, reason: ReloadReason): void {
    this.at = at;
    this.begun = true;
    this.send(sse("reload", JSON.stringify({ reason, seq: at }), at));
  }

  /** Keeps the connection from being taken for dead, and moves on the place that a page comes back with. */
  beat(): void {
    if (this.begun && !this.full) this.send(`id: ${this.at}\n\n`);
  }

  /** Tells of something that is no part of the log; who is too slow for it goes without. */
  tell(message: Buffer): void {
    if (this.begun && !this.full) this.send(message);
  }

  /** Whether what it was sent has not gone out for too long. It is one chunk at most: nothing more is sent meanwhile. */
  stuck(patienceMs: number): boolean {
    return this.#fullSince !== null && performance.now() - this.#fullSince > patienceMs;
  }

  look(settings: SettingsIndex): Sight | null {
    const user = settings.user(this.caller.user ?? "");
    return user === null || user.archived_at !== null ? null : sightOf(settings, this.caller);
  }

  resight(sight: Sight, reached: number): void {
    const changed = sight.key !== this.sight.key;
    this.sight = sight;
    if (changed && this.begun) this.reload(reached, "rights_changed");
  }

  /** Says why it ends, and ends; who does not take it within a moment is cut off. */
  end(reason: Ending): void {
    if (this.closed) return;
    if (reason === "too_slow") return void this.#response.destroy();
    this.#response.end(sse("end", JSON.stringify({ reason }), null));
    const cut = setTimeout(() => this.#response.destroy(), 1000);
    cut.unref();
    this.#response.once("close", () => clearTimeout(cut));
  }
}
