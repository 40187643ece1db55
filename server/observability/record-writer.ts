import type { Logger } from '../ports/observability.ts';
import { recordsTable, type RecordFields, type RecordName } from './records-table.ts';

/**
 * What writes a record of that name; undefined where the logger has not got its level, or has it switched off. So
 * `records('task.event.appended')?.({ … })` does not even build what nobody reads.
 */
export type RecordWriter = (name: RecordName) => ((fields: RecordFields) => void) | undefined;

/** Writes records to a logger. Which levels it has is found out here, once. */
export function recordWriter(logger: Logger | undefined): RecordWriter {
  if (!logger?.info && !logger?.debug) return () => undefined;
  const writers = new Map(
    Object.entries(recordsTable).flatMap(([name, { level }]) => {
      if (!logger[level]) return [];
      const write = (fields: RecordFields): void => logger[level]?.(name, { ...fields });
      return [[name, { level, write }] as const];
    }),
  );
  return (name) => {
    const writer = writers.get(name);
    return writer && (logger.isLevelEnabled?.(writer.level) ?? true) ? writer.write : undefined;
  };
}
