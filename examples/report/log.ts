import type { Fact, PollResponse } from 'taskbridge/wire';

/** Reads a finished task's whole log from the server, page by page, without the client: what the store has. */
export async function readLog(baseUrl: string, token: string, taskId: string): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  for (let after = ''; ;) {
    const page = await readPage(`${baseUrl}/api/v1/tasks/${taskId}/events?maxEvents=500&afterEventId=${after}`, token);
    facts.push(...page.events);
    if (page.terminal) return facts;
    if (page.events.length === 0) throw new Error(`The log of task ${taskId} ends after ${facts.length} facts without a terminal one.`);
    after = page.nextAfterEventId ?? '';
  }
}

async function readPage(url: string, token: string): Promise<PollResponse<Fact>> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`GET ${url} was answered ${response.status}: ${await response.text()}`);
  // The server checks every fact against its schema before it writes it.
  return (await response.json()) as PollResponse<Fact>;
}
