import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { TaskFailure } from 'taskbridge/adapters/in-process';
import type { Source } from './source.ts';

/** A place between two records of a file. */
export type Place = {
  /** In bytes from the start of the file. */
  readonly offset: number;
  /** Number of the line that begins there; the header is line 1. */
  readonly line: number;
};

/** One record of a file. */
export interface CsvRecord {
  readonly cells: readonly string[];
  /** The line that it begins on. */
  readonly line: number;
  /** Where the next one begins. */
  readonly next: Place;
}

/** The start of a file. */
export const start: Place = { offset: 0, line: 1 };

/** Longest record, in characters: what has to be in memory at once. */
export const RECORD_CHARACTERS_MAX = 4 * 1024 * 1024;

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly bytes: number };
}

/**
 * Reads a file record by record from a place between two of them, so that reading can go on where an earlier run ended. Quoted cells may
 * hold line breaks; a quote within an unquoted cell is a character like any other; empty lines are passed over.
 *
 * @throws TaskFailure `UNREADABLE_CSV` where a quote is never closed, a record is too long, or the bytes are not UTF-8.
 */
export async function* records(source: Source, delimiter: string, from: Place = start): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: from.offset === 0,
    delimiter,
    info: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: RECORD_CHARACTERS_MAX,
  });
  // Errors reach the loop below through the parser, which `pipeline` destroys with them.
  pipeline(Readable.from(utf8(await source.open(from.offset))), parser, () => {});
  let { line } = from;
  try {
    // csv-parse types its records as `any`; with `info` and without `columns` they have this shape.
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      const next = { offset: from.offset + info.bytes, line: line + 1 + record.reduce((sum, cell) => sum + lineBreaks(cell), 0) };
      if (record.length > 1 || record[0] !== '') yield { cells: record, line, next };
      line = next.line;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const why = error.code === 'CSV_MAX_RECORD_SIZE' ? 'is longer than can be read' : 'has a quote that is never closed';
    throw new TaskFailure('UNREADABLE_CSV', `The record that begins on line ${line} ${why}.`, { cause: error });
  }
}

async function* utf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of bytes) {
      decoder.decode(chunk, { stream: true });
      yield chunk;
    }
    decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TaskFailure('UNREADABLE_CSV', 'The file is not text in UTF-8. Save it as "CSV UTF-8" and try again.', { cause: error });
  }
}

function lineBreaks(cell: string): number {
  return cell.includes('\n') || cell.includes('\r') ? cell.split(/\r\n|\n|\r/).length - 1 : 0;
}
