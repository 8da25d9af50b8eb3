import { refuse, type Refusal } from "../model/command.ts";

/** Whoever sends two requests with one key meant one of them: neither is done in the place of the other. */
export const keyReused: Refusal = refuse("invalid", "idempotency_key_reused", "The key was used for another request");
