import { createHash } from 'node:crypto';

/** A script as Redis runs it: all of it at once, with nothing in between. */
export interface Script {
  readonly name: string;
  readonly lua: string;
  /** What Redis knows it by once it has seen it. */
  readonly sha: string;
}

/** Names a script. */
export function script(name: string, lua: string): Script {
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
}
