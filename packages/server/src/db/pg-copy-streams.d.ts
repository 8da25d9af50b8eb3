/** The part of pg-copy-streams that we use; the package brings no types. */
declare module "pg-copy-streams" {
  import type { Readable, Writable } from "node:stream";
  import type { Submittable } from "pg";

  /** A running COPY; `rowCount` is known once the stream has ended. */
  interface CopyStream extends Submittable {
    readonly rowCount: number;
  }
  export function to(sql: string): Readable & CopyStream;
  export function from(sql: string): Writable & CopyStream;
}
