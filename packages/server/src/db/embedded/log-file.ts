import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";

const CHECK_EVERY_MS = 60_000;

/** PostgreSQL's log: an open file that the server appends to, kept within twice `maxBytes`. */
export interface LogFile {
  /** To be given to the server as its output. */
  readonly fd: number;
  /** The size now: where the lines that come next begin. */
  size(): number;
  /** What was written from an offset on, at most the last 8 KB of it. */
  since(offset: number): string;
  close(): void;
}

/**
 * Opens the log and trims it now and each minute: what is there moves to `<path>.1`. The server writes to the file
 * itself, not through us, so it can say its last words after we were killed; being opened for appending, it goes on at
 * the new end after a cut.
 */
export function openLogFile(path: string, maxBytes = 8 * 1024 * 1024): LogFile {
  const fd = openSync(path, "a+", 0o600);
  const trim = () => {
    if (fstatSync(fd).size <= maxBytes) return;
    copyFileSync(path, `${path}.1`);
    ftruncateSync(fd);
  };
  trim();
  const timer = setInterval(trim, CHECK_EVERY_MS).unref();
  const size = () => fstatSync(fd).size;
  return {
    fd,
    size,
    since(offset) {
      const end = size();
      const start = Math.max(Math.min(offset, end), end - 8192);
      const buffer = Buffer.alloc(end - start);
      return buffer.toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, start));
    },
    close() {
      clearInterval(timer);
      closeSync(fd);
    },
  };
}
