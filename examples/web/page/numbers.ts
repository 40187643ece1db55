const units = ['bytes', 'kB', 'MB', 'GB'] as const;

/** A size for people. */
export function sizeOf(bytes: number): string {
  const step = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** step).toLocaleString('en', { maximumFractionDigits: step === 0 ? 0 : 1 })} ${units[step]}`;
}

/** A count for people. */
export const countOf = (count: number): string => count.toLocaleString('en');

/** A moment for people: the day and the time. */
export const momentOf = (moment: string): string => new Date(moment).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** A moment for people: the time of day. */
export const timeOf = (moment: string | number): string => new Date(moment).toLocaleTimeString('en-GB');
