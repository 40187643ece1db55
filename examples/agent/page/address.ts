/**
 * The conversation that this page shows: the address names it, so that a reload and every other device show the same. All its tasks have it as a label. A page that
 * names none begins one.
 */
export const chat: string = namedChat() ?? beginChat();

function namedChat(): string | undefined {
  const named = new URLSearchParams(location.search).get('chat') ?? '';
  return /^[\w-]{1,40}$/.test(named) ? `chat:${named}` : undefined;
}

function beginChat(): string {
  const name = crypto.randomUUID().slice(0, 8);
  history.replaceState(null, '', `?chat=${name}`);
  return `chat:${name}`;
}
