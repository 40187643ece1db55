import { describe, expect, it } from 'vitest';
import { parseAbout, storeAbout, type TaskAbout } from '../../server/task/about.ts';

describe('what is stored about a task', () => {
  const about: TaskAbout = {
    taskId: 't',
    taskType: 'report',
    clientRequestId: 'r',
    owner: 'ada',
    contentHash: 'c',
    requestKey: 'k',
    createdAt: 1,
  };

  it('without parameters is the text that it always was', () => {
    expect(storeAbout(about)).toBe(JSON.stringify(about));
    expect(parseAbout(storeAbout(about))).toEqual(about);
  });

  it.each([{ params: { projectId: '7' } }, { title: 'July' }, { labels: ['ward 7'] }])(
    'with %j has a version, and it comes back',
    (more) => {
      const text = storeAbout({ ...about, ...more });
      expect(JSON.parse(text)).toEqual({ v: 3, ...about, ...more });
      expect(parseAbout(text)).toEqual({ ...about, ...more });
    },
  );

  it('with a trace has no version for that, so that nodes which know of none read it, and it comes back', () => {
    const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'vendor=1' };
    expect(storeAbout({ ...about, trace })).toBe(JSON.stringify({ ...about, trace }));
    expect(parseAbout(storeAbout({ ...about, trace }))).toEqual({ ...about, trace });
    expect(parseAbout(storeAbout({ ...about, trace, title: 'July' }))).toEqual({ ...about, trace, title: 'July' });
  });

  it('by the version before, with parameters, is read', () => {
    const params = { projectId: '7' };
    expect(parseAbout(JSON.stringify({ v: 2, ...about, params }))).toEqual({ ...about, params });
  });

  it('by a newer version is refused', () => {
    expect(() => parseAbout('{"v":4}')).toThrow('version 4');
  });
});
