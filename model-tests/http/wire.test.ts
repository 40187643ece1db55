import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHost, type Host } from './host.ts';
import { send, wireRows } from './wire.ts';

describe.each(Object.entries(wireRows))('the wire, %s', (_name, rows) => {
  let host: Host;
  beforeAll(async () => void (host = await startHost()));
  afterAll(() => host.close());

  it.each(rows)('$name', async (row) => {
    const response = await send(host.url, row);
    const body = await response.text();
    expect({ status: response.status, body: JSON.parse(body) as unknown }).toEqual({ status: row.answer.status, body: row.answer.body });
    expect(Object.fromEntries(response.headers)).toMatchObject(row.answer.headers);
    expect(body).not.toContain('secret');
    expect(host.live.streams).toEqual([]);
  });
});
