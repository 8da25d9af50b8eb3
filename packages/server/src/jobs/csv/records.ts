import { CsvError, parse } from "csv-parse/sync";

/** What stands between the cells of a table, in the order in which it is tried. */
export const separators = [",", ";", "\t", "|"] as const;
export type Separator = (typeof separators)[number];

/** No row takes more; beyond it a quote was never closed. */
export const recordBytes = 256 * 1024;

/** Records as they follow each other in a text. */
export interface RecordsRead {
  readonly records: readonly (readonly string[])[];
  /** how many bytes they took; what is behind them begins another record */
  readonly bytes: number;
}

/** A text that is no table by any reading: a row that never ends. */
export class NoTable extends Error {}

/**
 * Reads records from the beginning of some bytes of UTF-8, so many at most. A record that the bytes may cut is left, unless
 * they are `all` there is. Empty lines are none. Quotes are taken as spreadsheets write them, and as they stand where they
 * are not.
 */
export function readRecords(
  bytes: Buffer,
  { separator, most, all }: { readonly separator: Separator; readonly most: number; readonly all: boolean },
): RecordsRead {
  const text = all ? bytes : wholeLines(bytes);
  const records: (readonly string[])[] = [];
  let end = 0;
  try {
    parse(text, {
      delimiter: separator,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      max_record_size: recordBytes,
      ...(most !== Infinity && { to: most }),
      on_record(record: string[], { bytes: behind }) {
        records.push(record);
        end = behind;
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // a quote that is open at the end may be closed by what follows
    if (records.length === 0 && (all || bytes.length >= recordBytes))
      throw new NoTable(error.message, { cause: error });
  }
  return { records, bytes: end };
}

const newline = 0x0a;

/** What follows the last end of a line may be cut; so may a line's end of two characters be. */
function wholeLines(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf(newline);
  // the line ends of old Macs
  return bytes.subarray(0, end === -1 ? Math.max(bytes.lastIndexOf(0x0d), 0) : end + 1);
}

/** What stands between the cells, from how a table begins: what gives most rows the same number of cells, and more than one. */
export function findSeparator(sample: Buffer, all: boolean): Separator {
  let best: Separator = ",";
  let most = 0;
  for (const separator of separators) {
    const score = scoreOf(sample, separator, all);
    if (score > most) [best, most] = [separator, score];
  }
  return best;
}

function scoreOf(sample: Buffer, separator: Separator, all: boolean): number {
  let records: readonly (readonly string[])[];
  try {
    ({ records } = readRecords(sample, { separator, most: 50, all }));
  } catch (error) {
    if (error instanceof NoTable) return 0;
    throw error;
  }
  const width = records[0]?.length ?? 0;
  if (width < 2) return 0;
  const alike = records.filter((record) => record.length === width).length / records.length;
  return alike * 1000 + Math.min(width, 100);
}
