import { shareNames } from '../../../server/ports/index.ts';

const quoted = shareNames.map((name) => `'${name}'`);
const written = quoted.map((name, i) => `${name}, has[${i + 1}]`);
const version = quoted.length + 1;

/** How many shares there are. */
export const sharesCount = shareNames.length;

/**
 * What an owner has, as a part of the scripts that count. Counts are lists: the shares in the order of `shareNames`, then the version. Arguments
 * are numbers of that order; of what he may have, '' where there is no limit.
 */
export const shareSteps = `
local function counted(shares)
  local has = redis.call('HMGET', shares, ${quoted.join(', ')}, 'version')
  for i = 1, ${version} do has[i] = tonumber(has[i] or 0) end
  return has
end

-- The place of the first share that would be more than he may have.
local function full(has, adds, most)
  for i = 1, ${sharesCount} do
    local added, limit = tonumber(ARGV[adds + i - 1]), ARGV[most + i - 1]
    if added > 0 and limit ~= '' and has[i] + added > tonumber(limit) then return i end
  end
end

local function set(shares, has)
  has[${version}] = has[${version}] + 1
  redis.call('HSET', shares, ${written.join(', ')}, 'version', has[${version}])
end

local function add(shares, owners, owner, has, from)
  local isChanged = false
  for i = 1, ${sharesCount} do
    local by = ARGV[from + i - 1]
    if by ~= '0' then
      isChanged = true
      has[i] = math.max(0, has[i] + by)
    end
  end
  if not isChanged then return end
  if has[${version}] == 0 then redis.call('ZADD', owners, 0, owner) end
  set(shares, has)
end
`;
