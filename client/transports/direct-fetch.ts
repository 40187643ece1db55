/**
 * The same `fetch` without redirects: one could lead to another origin, and the credentials with it, so it is a failure of the network like a
 * cut. Rejects with what `fetch` rejects with, and a `TypeError` for a redirect. React Native's own follows them all the same.
 */
export function directFetch(fetcher: typeof fetch): typeof fetch {
  return async (input, init) => {
    // `error` would be the word for it, which workerd refuses.
    const response = await fetcher(input, { ...init, redirect: 'manual' });
    const { status } = response;
    // Browsers show a redirect without its status.
    if (status !== 0 && (status < 300 || status > 399)) return response;
    response.body?.cancel().catch(() => undefined);
    throw new TypeError(`a redirect (${status}), which is not followed`);
  };
}
