const NUMBER = /^[+-]?\d{1,18}(\.\d{1,9})?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-](0\d|1[0-4]):[0-5]\d)?)?$/;
const SHOWN_MAX = 48;

/** True for a plain decimal number: up to 18 digits, then up to 9 after a point. */
export function isNumber(cell: string): boolean {
  return NUMBER.test(cell);
}

/** True for a day of the calendar as `2025-03-31`, with or without a time. */
export function isDate(cell: string): boolean {
  const match = DATE.exec(cell);
  if (!match) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** A cell on one line of at most 48 characters, whole characters only. */
export function shortened(cell: string): string {
  const characters = [...cell.slice(0, SHOWN_MAX * 2).replace(/\s+/gu, ' ')].filter((character) => !/\p{Surrogate}/u.test(character));
  const whole = cell.length <= SHOWN_MAX * 2 && characters.length <= SHOWN_MAX;
  return whole ? characters.join('') : `${characters.slice(0, SHOWN_MAX - 1).join('')}…`;
}
