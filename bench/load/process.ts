import { serveRpc } from '../rpc/server.ts';
import { OpenAudience } from './audience.ts';
import { joinLate } from './long-text.ts';
import type { Load } from './load.ts';
import { createTasks, countRequests, sendPosts } from './requests.ts';
import { recover, resume } from './resume.ts';

// All clients of a measurement, in a process of their own.
let audience: OpenAudience | undefined;

function present(): OpenAudience {
  if (!audience) throw new Error('No audience was opened.');
  return audience;
}

await serveRpc<Load>({
  async open(wanted) {
    audience?.close();
    audience = await OpenAudience.open(wanted);
    return null;
  },
  burst: ({ window, ms }) => present().burst(window, ms),
  paced: ({ perSecond, ms }) => present().paced(perSecond, ms),
  listen() {
    present().listen();
    return null;
  },
  heard: ({ expected }) => present().heard(expected),
  join: joinLate,
  resume,
  recover,
  requests: countRequests,
  creates: createTasks,
  posts: sendPosts,
  close() {
    audience?.close();
    audience = undefined;
    return null;
  },
});
