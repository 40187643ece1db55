/** How long to wait, in milliseconds, for what takes no longer than `ms` on an idle machine. */
export function patience(ms: number): number {
  return ms;
}
