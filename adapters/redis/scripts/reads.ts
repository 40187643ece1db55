import { script } from './script.ts';

// Reads are scripts too: then a client that sends reads to replicas leaves them alone, and no reply is reshaped on its way.

/**
 * KEYS  1 task
 *
 * ARGV  1 the head that is known, '' for none
 *
 * Returns the task's hash as {name, value, …}, empty for an unknown task; false where it has that very head, so that nothing of it has changed
 */
export const load = script(
  'load',
  `
if redis.call('HGET', KEYS[1], 'at') == ARGV[1] then return false end
return redis.call('HGETALL', KEYS[1])
`,
);

/**
 * KEYS  1 task
 *
 * ARGV  the names
 *
 * Returns the values of these fields, false for each that is not there
 */
export const fields = script('fields', `return redis.call('HMGET', KEYS[1], unpack(ARGV))`);

/**
 * KEYS  1 side values
 *
 * ARGV  the names
 *
 * Returns the values, false for each that is not there
 */
export const sideValues = script(
  'sideValues',
  `
local values = {}
for from = 1, #ARGV, 1000 do
  local some = redis.call('HMGET', KEYS[1], unpack(ARGV, from, math.min(from + 999, #ARGV)))
  for i, value in ipairs(some) do values[from + i - 1] = value end
end
return values
`,
);

/**
 * A run of the log, all of one moment.
 *
 * KEYS  1 task · 2 log
 *
 * ARGV  1 the first `n` · 2 most facts · 3 most bytes · 4 the head that is known, '' for none
 *
 * Returns {first id, head, id, bytes, id, bytes, …}, '' for an id that is not there; {} where the task has the head that is known, so that nothing has changed;
 * false for an unknown task
 *
 * Takes from the stream what is likely to fit, and judges by what it got: the memory that it needs is bounded by the page and one step.
 */
export const read = script(
  'read',
  `
local at = redis.call('HGET', KEYS[1], 'at')
if not at then return false end
if at == ARGV[4] then return {} end
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local page = { oldest and oldest[1] or '', at }
local facts, room = tonumber(ARGV[2]), tonumber(ARGV[3])
local from, taken, size, step = ARGV[1] .. '-0', 0, 0, 16
while taken < facts do
  local wanted = math.min(step, facts - taken)
  local entries = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', wanted)
  for _, entry in ipairs(entries) do
    local bytes = entry[2][2]
    if taken > 0 and size + #bytes > room then return page end
    taken = taken + 1
    size = size + #bytes
    page[2 * taken + 1] = entry[1]
    page[2 * taken + 2] = bytes
  end
  if #entries < wanted then return page end
  from = '(' .. page[2 * taken + 1]
  step = math.max(1, math.min(1000, math.floor((room - size) / (size / taken + 1)) + 1))
end
return page
`,
);

/**
 * KEYS  tasks
 *
 * Returns the newest id of each, '' where there is none
 */
export const lastIds = script(
  'lastIds',
  `
local ids = {}
for i, task in ipairs(KEYS) do ids[i] = string.match(redis.call('HGET', task, 'at') or '', '([^;]*);[^;]*$') or '' end
return ids
`,
);

/**
 * The time of the server that has the key, and the id of the store. Every node of a cluster asks for the same key, so that all of them go by one
 * clock.
 *
 * KEYS  1 store
 *
 * Returns {seconds, microseconds, id}, '' for a store without one
 */
export const time = script(
  'time',
  `
local now = redis.call('TIME')
return { now[1], now[2], redis.call('HGET', KEYS[1], 'id') or '' }
`,
);

/**
 * Looks at the tasks of requests. They are found through the requests: same tag, same slot.
 *
 * KEYS  requests, of 64 digits; on a cluster, where they are of one bucket, moving as well
 *
 * ARGV  names of fields
 *
 * Returns for each {task id, kind, plan, due, the fields}, false for one without a task
 */
export const glance = script(
  'glance',
  `
local seen = {}
for i, request in ipairs(KEYS) do
  local id = redis.call('GET', request)
  local texts = id and redis.call('HMGET', string.sub(request, 1, -73) .. 'task:' .. id, 'at', 'kind', 'plan', 'due', unpack(ARGV))
  if texts and texts[1] then
    texts[1] = id
    seen[i] = texts
  else
    seen[i] = false
  end
end
return seen
`,
);
