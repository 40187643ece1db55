/** The trace of the one who asks. */
export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
/** The span in which he asks, and the `traceparent` that he sends. */
export const CALLER_SPAN = 'b7ad6b7169203331';
export const CALLER = `00-${TRACE_ID}-${CALLER_SPAN}-01`;

/** Creates a task of a host with these headers, the same one each time; gives its id. */
export async function tracedCreate(url: string, headers: Readonly<Record<string, string>> = {}, taskType = 'work'): Promise<string> {
  const response = await fetch(`${url}/api/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'alice', ...headers },
    body: JSON.stringify({ clientRequestId: 'r1', taskType }),
  });
  // As the server answers it.
  return ((await response.json()) as { readonly taskId: string }).taskId;
}
