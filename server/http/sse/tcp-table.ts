import { isIPv4, type Socket } from 'node:net';

/** Lines that are read in one turn of the event loop: tens of thousands at once would hold up everybody for half a second. */
const SLICE_LINES = 1000;

/** How the kernel's tables name a connection: its local and its remote address. */
export function connectionName(socket: Socket): string {
  return `${address(socket.localAddress, socket.localPort)} ${address(socket.remoteAddress, socket.remotePort)}`;
}

/**
 * For each wanted connection that a table of `/proc/net/tcp` knows, by its name: calls back with how many bytes its peer has not acknowledged. Gives
 * others their turn in between.
 */
export async function readUnacknowledged(
  table: string,
  wanted: { has(name: string): boolean },
  found: (name: string, bytes: number) => void,
): Promise<void> {
  let lines = 0;
  for (let from = 0; from < table.length;) {
    const end = table.indexOf('\n', from);
    const to = end < 0 ? table.length : end;
    readLine(table.slice(from, to), wanted, found);
    from = to + 1;
    lines += 1;
    if (lines % SLICE_LINES === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A line has: number, local and remote address, state, bytes sent and not acknowledged, … The first one has the names of these. */
function readLine(line: string, wanted: { has(name: string): boolean }, found: (name: string, bytes: number) => void): void {
  const at = line.indexOf(': ') + 2;
  const [local = '', remote = '', , queued = ''] = at < 2 ? [] : line.slice(at, at + LINE_CHARACTERS_MAX).split(' ', 4);
  const name = `${canonical(local)} ${canonical(remote)}`;
  if (wanted.has(name)) found(name, Number.parseInt(queued, 16));
}

/** Two addresses of IPv6 with their ports, the state and two counts. */
const LINE_CHARACTERS_MAX = 100;
const MAPPED = '0000000000000000FFFF0000';

/** An IPv4 address in an IPv6 socket is the same address. */
function canonical(entry: string): string {
  return entry.startsWith(MAPPED) ? entry.slice(MAPPED.length) : entry;
}

function address(ip = '', port = 0): string {
  return `${hexOf(ip.replace(/^::ffff:(?=\d+\.)/, ''))}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The kernel prints each 32 bits in the byte order of the machine. */
function hexOf(ip: string): string {
  const bytes = isIPv4(ip) ? ip.split('.').map(Number) : ipv6Bytes(ip);
  const words = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.slice(i * 4, i * 4 + 4).reverse());
  return words
    .flat()
    .map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'))
    .join('');
}

function ipv6Bytes(ip: string): number[] {
  const [head = '', tail] = (ip.split('%')[0] ?? '').split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...(tail === undefined ? [] : zeros), ...right].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
