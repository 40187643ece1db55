import { script } from './script.ts';

/**
 * Renews the lease of a node. A row is never set back: a renewal may be sent twice, and come late.
 *
 * KEYS  the nodes of each bucket
 *
 * ARGV  1 node · 2 the beat that was confirmed · 3 the new one
 *
 * Returns a text with a digit for each bucket: 1 where its row was gone or older than what was confirmed
 */
export const renew = script(
  'renew',
  `
local node, confirmed, beat = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local resets = {}
for i, nodes in ipairs(KEYS) do
  local before = tonumber(redis.call('HGET', nodes, node) or -1)
  if beat > before then redis.call('HSET', nodes, node, ARGV[3]) end
  resets[i] = math.max(before, 0) < confirmed and '1' or '0'
end
return table.concat(resets)
`,
);

/**
 * KEYS  the nodes of each bucket
 *
 * Returns for each bucket {node, beat, node, beat, …}
 */
export const leases = script(
  'leases',
  `
local rows = {}
for i, nodes in ipairs(KEYS) do rows[i] = redis.call('HGETALL', nodes) end
return rows
`,
);

/**
 * KEYS  1 held
 *
 * ARGV  1 the task id to go on after, or '' · 2 most
 *
 * Returns task ids in their order
 */
export const held = script(
  'held',
  `
local least = ARGV[1] == '' and '-' or '(' .. ARGV[1]
return redis.call('ZRANGEBYLEX', KEYS[1], least, '+', 'LIMIT', 0, ARGV[2])
`,
);

/**
 * Drops the row of a node.
 *
 * KEYS  1 nodes · 2 held
 *
 * ARGV  1 node · 2 the beat that was seen
 *
 * Returns '1' where it was dropped, '0' where it is another one or the node holds something
 */
export const dropLease = script(
  'dropLease',
  `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] or redis.call('EXISTS', KEYS[2]) == 1 then return '0' end
redis.call('HDEL', KEYS[1], ARGV[1])
return '1'
`,
);
