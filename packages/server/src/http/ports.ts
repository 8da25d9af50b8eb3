import type { Actor, Refusal, SettingsIndex } from "@threadmill/core";
import type { Kysely } from "kysely";
import type { Pool } from "pg";
import type { Tables } from "../features/tables.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { SingleSignOn } from "../identity/engine.ts";
import type { Place, Submitted } from "../lanes/port.ts";
import type { ChangeSettings } from "../lanes/settings.ts";
import type { Attention } from "../live/attention.ts";
import type { Live } from "../live/live.ts";
import type { SystemMail } from "../mail/mail.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Clock } from "../process/clock.ts";
import type { SecretBox } from "../secrets/secret-box.ts";

/** A command as the edge hands it in. */
export interface SubmitRequest {
  readonly place: Place;
  readonly type: string;
  readonly input: unknown;
  readonly actor: Actor;
  /** the only permissions that may be used, of those that the actor has; missing: all */
  readonly scopes?: readonly string[];
  /** scoped idempotency key */
  readonly key?: string;
  /** of the request that the key came with */
  readonly fingerprint?: string;
}

/** What the HTTP side needs of the engine. */
export interface EnginePort {
  /** Has a command decided, and waits until its batch is committed. Throws `EngineFault`. */
  submit(request: SubmitRequest): Promise<Submitted>;
  /** Changes settings in one transaction that holds the organization's lane and logs `settings.changed`. */
  changeSettings<T>(
    place: Place,
    actor: Actor,
    fn: ChangeSettings<T>,
  ): Promise<{ readonly ok: true; readonly result: T } | Refusal>;
  /** The compiled settings of an organization. */
  settings(place: Place): Promise<SettingsIndex>;
  /** Whether this process can take commands. */
  health(): { readonly ready: boolean; readonly reason?: string };
  /** Lanes that another transaction holds although they are wanted here. */
  stuckLanes(): readonly { readonly lane: number; readonly seconds: number }[];
}

/** Everything the app is made of; main.ts hands it in, tests replace what they need. */
export interface AppPorts {
  readonly engine: EnginePort;
  /** work on many things */
  readonly jobs: Jobs;
  /** the open pages of this process */
  readonly live: Live;
  /** who looks at what */
  readonly attention: Attention;
  readonly pool: Pool;
  /** reads over the same pool */
  readonly db: Kysely<Tables>;
  readonly secretBox: SecretBox;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** without a slash at its end */
  readonly publicUrl: string;
  readonly trustedProxies: readonly string[];
  readonly version: string;
  /** what the system itself writes to people who work here */
  readonly mail: SystemMail;
  /** null: people sign in by passwords alone */
  readonly singleSignOn: SingleSignOn | null;
}
