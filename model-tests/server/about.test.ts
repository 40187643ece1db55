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

  it('with parameters has a version, and they come back', () => {
    const text = storeAbout({ ...about, params: { projectId: '7' } });
    expect(JSON.parse(text)).toEqual({ v: 2, ...about, params: { projectId: '7' } });
    expect(parseAbout(text)).toEqual({ ...about, params: { projectId: '7' } });
  });

  it('by a newer version is refused', () => {
    expect(() => parseAbout('{"v":3}')).toThrow('version 3');
  });
});
