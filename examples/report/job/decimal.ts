const PLACES = 9;

/** Adds decimals exactly: `add('0.1', '0.2')` is `'0.3'`. Takes what `isNumber` takes, and its own results. */
export function add(a: string, b: string): string {
  return format(units(a) + units(b));
}

function units(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.replace(/^[+-]/, '').split('.');
  const magnitude = BigInt(whole + fraction.padEnd(PLACES, '0'));
  return decimal.startsWith('-') ? -magnitude : magnitude;
}

function format(sum: bigint): string {
  const digits = (sum < 0n ? -sum : sum).toString().padStart(PLACES + 1, '0');
  const fraction = digits.slice(-PLACES).replace(/0+$/, '');
  return `${sum < 0n ? '-' : ''}${digits.slice(0, -PLACES)}${fraction === '' ? '' : `.${fraction}`}`;
}
