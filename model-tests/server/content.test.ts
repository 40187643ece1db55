import { describe, expect, it } from 'vitest';
import { contentOf, storedContent } from '../../server/attempt/work.ts';
import type { Store } from '../../server/ports/index.ts';

describe('a stored content', () => {
  const content = { input: { a: 1 }, metadata: {}, attachments: [] };
  const storeOf = (text: string) => ({ sideValues: () => Promise.resolve([text]) }) as unknown as Store;

  it('without parameters is the text that it always was, and has none', async () => {
    const text = storedContent({ ...content, params: {} });
    expect(text).toBe('{"input":{"a":1},"metadata":{},"attachments":[]}');
    expect(await contentOf('t', storeOf(text))).toEqual({ ...content, params: {} });
  });

  it('with parameters has a version, and they come back', async () => {
    const text = storedContent({ ...content, params: { projectId: '7' } });
    expect(text).toBe('{"v":2,"input":{"a":1},"metadata":{},"attachments":[],"params":{"projectId":"7"}}');
    expect(await contentOf('t', storeOf(text))).toEqual({ ...content, params: { projectId: '7' } });
  });

  it('of a newer version is refused', async () => {
    await expect(contentOf('t', storeOf('{"v":3}'))).rejects.toThrow('version 3');
  });
});
