import { isIPv4, type Socket } from 'node:net';

/** A line of the kernel's table: number, local and remote address, state, bytes sent and not acknowledged, … */
const LINE = /^\s*\d+: ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/gm;

/** For each socket that the tables of `/proc/net/tcp` know: how many bytes its peer has not acknowledged. */
export function unacknowledged(tables: readonly string[], sockets: readonly Socket[]): ReadonlyMap<Socket, number> {
  const wanted = new Map(
    sockets.map((socket) => [
      `${address(socket.localAddress, socket.localPort)} ${address(socket.remoteAddress, socket.remotePort)}`,
      socket,
    ]),
  );
  const found = new Map<Socket, number>();
  for (const table of tables) {
    for (const [, local = '', remote = '', queued = ''] of table.matchAll(LINE)) {
      const socket = wanted.get(`${canonical(local)} ${canonical(remote)}`);
      if (socket) found.set(socket, Number.parseInt(queued, 16));
    }
  }
  return found;
}

/** An IPv4 address in an IPv6 socket is the same address. */
function canonical(entry: string): string {
  return entry.replace(/^0{16}FFFF0000/, '');
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
