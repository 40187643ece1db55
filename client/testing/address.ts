/** Where a request goes. */
export function addressOf(input: Parameters<typeof fetch>[0]): string {
  return typeof input === 'string' ? input : 'href' in input ? input.href : input.url;
}
