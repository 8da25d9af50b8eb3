/** Every fault the database shell can throw; the sentence that goes with it says what to do. */
export type DatabaseFaultCode =
  | "backup_damaged"
  | "backup_not_supported"
  | "binaries_missing"
  | "cluster_missing"
  | "commit_in_doubt"
  | "data_dir_copied"
  | "data_dir_in_use"
  | "data_dir_not_yours"
  | "database_not_empty"
  | "migration_changed"
  | "migration_invalid"
  | "migration_missing"
  | "migration_out_of_order"
  | "postgres_account_missing"
  | "postgres_major_mismatch"
  | "postgres_start_failed"
  | "postgres_too_old"
  | "schema_newer"
  | "transaction_rolled_back";

/** A fault of the database shell with a stable code, so that `main` and the command line can tell them apart. */
export class DatabaseFault extends Error {
  readonly code: DatabaseFaultCode;

  constructor(code: DatabaseFaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "DatabaseFault";
    this.code = code;
  }
}

/** Tells whether an unknown thrown value is the database fault with this code. */
export function isDatabaseFault(error: unknown, code: DatabaseFaultCode): error is DatabaseFault {
  return error instanceof DatabaseFault && error.code === code;
}

/** The `code` of a Node system error ("ENOENT"), if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
