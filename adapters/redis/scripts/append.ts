import { laneSteps } from './lane-steps.ts';
import { planSteps } from './plan-steps.ts';
import { script, type Script } from './script.ts';

/** What a store's commits have in common. */
export interface AppendSettings {
  /** True for sharded channels. */
  readonly isCluster: boolean;
  /** Facts up to that many bytes travel in the message that tells of them. */
  readonly messageBytesMax: number;
}

/**
 * Writes commits, each as a whole or not at all.
 *
 * KEYS  for each commit: its task · log · side values · the keys of its steps
 *
 * ARGV  for each commit: the expected `at` of the task · its new `at` · first `n` that the log keeps, or '' where it drops nothing · the steps
 *       of its lanes and its plan (see `lane-steps.ts`, `plan-steps.ts`) · number of facts · number of texts for the task's hash · number of texts for the side values · then the
 *       facts (id, bytes), the task's hash (name, value), the side values (name, value), the arguments of the steps
 *
 * Publishes the facts of each on the channel that is called like its log; see `message.ts`
 *
 * Returns for each commit 1 where it was written, 0 for a conflict, 2 where the lease that it names has changed, 3 where a lane is
 * there that it opens, else the error that it met
 *
 * The checks of a commit stand before its first write. The first write is one that Redis refuses where memory, disk or role do not allow
 * it, and what follows it is not refused any more: so there is no half of a commit. Few arguments, few calls and no arithmetic: each costs its
 * part of every commit. What a commit means is reckoned by the node, from the head that `at` stands for.
 */
export function appendScript({ isCluster, messageBytesMax }: AppendSettings): Script {
  const publish = isCluster ? 'SPUBLISH' : 'PUBLISH';
  return script(
    'append',
    `${planSteps}${laneSteps}
local call, most = redis.call, ${messageBytesMax}

local function many(command, key, from, to)
  for at = from, to, 1000 do call(command, key, unpack(ARGV, at, math.min(at + 999, to))) end
end

local function tell(log, head, from, facts)
  local parts, body, bytes = { head }, {}, 0
  for i = 1, facts do
    local id, fact = ARGV[from + 2 * i - 2], ARGV[from + 2 * i - 1]
    body[i] = fact
    bytes = bytes + #fact
    parts[i + 1] = id .. ',' .. #fact
  end
  if bytes > most then parts, body = { head, parts[2], parts[facts + 1], '-' }, {} end
  call('${publish}', log, table.concat(parts, ';') .. '\\n' .. table.concat(body))
end

local function write(key, at, steps, from, fields, values, rest)
  local task, log = KEYS[key], KEYS[key + 1]
  if call('HGET', task, 'at') ~= ARGV[at] then return 0 end
  local lanes = false
  if steps ~= '' then
    if not stands(steps, key + 3, rest) then return 2 end
    lanes = string.find(steps, 'lane', 1, true) and { key + 3, rest }
    if lanes and string.find(steps, 'lease', 1, true) then lanes = { key + 4, rest + 2 } end
    local refused = lanes and lanesRefuse(steps, lanes[1], lanes[2])
    if refused then return refused end
  end
  local head, first = ARGV[at + 1], ARGV[at + 2]
  for fact = from, fields - 1, 2 do call('XADD', log, ARGV[fact], 'b', ARGV[fact + 1]) end
  call('HSET', task, 'at', head, unpack(ARGV, fields, math.min(values, fields + 1000) - 1))
  many('HSET', task, fields + 1000, values - 1)
  many('HSET', KEYS[key + 2], values, rest - 1)
  if first ~= '' then call('XTRIM', log, 'MINID', first .. '-0') end
  if lanes then changeLanes(steps, lanes[1], lanes[2]) end
  if steps ~= '' then plan(steps, task, string.sub(task, -32), key + 3, rest) end
  if fields == from + 2 and #ARGV[from + 1] <= most then
    call('${publish}', log, ARGV[at] .. ';' .. head .. '\\n' .. ARGV[from + 1])
  elseif fields > from then
    tell(log, ARGV[at] .. ';' .. head, from, (fields - from) / 2)
  end
  return 1
end

local replies, key, at = {}, 1, 1
while key <= #KEYS do
  local steps, from = ARGV[at + 3], at + 7
  local fields = from + 2 * ARGV[at + 4]
  local values = fields + ARGV[at + 5]
  local rest = values + ARGV[at + 6]
  local keys, args = 0, 0
  if steps ~= '' then keys, args = string.match(steps, '^(%d+) (%d+)') end
  local ran, reply = pcall(write, key, at, steps, from, fields, values, rest)
  if not ran and type(reply) == 'table' then reply = reply.err end
  replies[#replies + 1] = reply
  key, at = key + 3 + keys, rest + args
end
return replies
`,
  );
}
