import { clock } from './moment.ts';

/**
 * What a new plan or another state means, as a part of the scripts that write one: `create`, `append` and `remove`. The node reckons from where the
 * task stood, which the mark of the head stands for, and names the steps in a text: number of keys and of arguments in all, then the steps.
 *
 *     step       keys                 arguments
 *     lease      nodes                node · beat       refused unless the lease stands so; the first one
 *     clock      clock · next            time             is due then
 *     unclock    clock                                    is due no more
 *     wanted     wanted · next           time             its work is wanted from then on
 *     rewanted   wanted · next · ready   time             … as before: it keeps its place in the queue where it is in it
 *     unwanted   wanted · ready · turns  owner            … no more
 *     hold       held · nodes         node              is held by that node
 *     letgo      held                                   is held no more
 *     list       in · lists           name of the list    came to that state now
 *     unlist     in                                       left it
 *     dated      due                  time, or ''       as 0.1.0 has it
 *     undated    due                                    as 0.1.0 has it no more
 *     lane…      parts · lane         four               see `lane-steps.ts`
 *
 * Nothing here is refused once a script has written something.
 */
export const planSteps = `${clock}
local function step(name, task, id, key, arg)
  if name == 'clock' then
    redis.call('ZADD', KEYS[key], ARGV[arg], id)
    redis.call('ZADD', KEYS[key + 1], 'LT', ARGV[arg], 'clock')
    return 2, 1
  elseif name == 'unclock' then
    redis.call('ZREM', KEYS[key], id)
    return 1, 0
  elseif name == 'hold' then
    redis.call('ZADD', KEYS[key], 0, id)
    redis.call('HSETNX', KEYS[key + 1], ARGV[arg], '0')
    return 2, 1
  elseif name == 'letgo' then
    redis.call('ZREM', KEYS[key], id)
    return 1, 0
  elseif name == 'wanted' or name == 'rewanted' and not redis.call('ZSCORE', KEYS[key + 2], id) then
    redis.call('ZADD', KEYS[key], ARGV[arg], id)
    redis.call('ZADD', KEYS[key + 1], 'LT', ARGV[arg], 'wanted')
    return name == 'wanted' and 2 or 3, 1
  elseif name == 'rewanted' then
    return 3, 1
  elseif name == 'unwanted' then
    redis.call('ZREM', KEYS[key], id)
    local turn = redis.call('ZSCORE', KEYS[key + 1], id)
    if turn then
      redis.call('ZREM', KEYS[key + 1], id)
      if redis.call('HGET', KEYS[key + 2], ARGV[arg]) == turn then redis.call('HDEL', KEYS[key + 2], ARGV[arg]) end
    end
    return 3, 1
  elseif name == 'list' then
    redis.call('ZADD', KEYS[key], (moment()), id)
    redis.call('ZADD', KEYS[key + 1], '0', ARGV[arg])
    return 2, 1
  elseif name == 'unlist' then
    redis.call('ZREM', KEYS[key], id)
    return 1, 0
  elseif name == 'dated' then
    if ARGV[arg] == '' then redis.call('ZREM', KEYS[key], id) else redis.call('ZADD', KEYS[key], ARGV[arg], id) end
    return 1, 1
  elseif name == 'undated' then
    redis.call('ZREM', KEYS[key], id)
    redis.call('HDEL', task, 'due')
    return 1, 0
  elseif name == 'lease' then
    return 1, 2
  end
  return 2, 4
end

local function plan(steps, task, id, key, arg)
  for name in string.gmatch(steps, '%a+') do
    local keys, args = step(name, task, id, key, arg)
    key, arg = key + keys, arg + args
  end
end

local function stands(steps, key, arg)
  return not string.find(steps, 'lease', 1, true) or redis.call('HGET', KEYS[key], ARGV[arg]) == ARGV[arg + 1]
end
`;
