/** A lane is closed when it has so many bytes. */
export const CLOSED_AT = 9000;

/** The bytes that a lane of these tests has from a place on: each tells where it stands. */
export function bytesFrom(at: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (at + i) % 251);
}
