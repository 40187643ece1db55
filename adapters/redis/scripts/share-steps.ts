import { shareNames } from '../../../server/ports/index.ts';

/** How many shares there are. */
export const sharesCount = shareNames.length;

/** Where the version stands, and after it when all was counted. */
export const versionAt = sharesCount + 1;

/**
 * What an owner has, as a part of the scripts that count: one text, the shares in the order of `shareNames`, the version and when all was counted, with
 * `;` between them. In a script it is a list of them. Arguments are in that order too; of what he may have, '' where there is no limit.
 *
 * Numbers stay texts until something is added: what Redis and Lua take for a hash and its numbers is half of a create.
 */
export const shareSteps = `
local function counted(shares)
  return { string.match(redis.call('GET', shares) or '${'0;'.repeat(versionAt)}0', '^${'(%d+);'.repeat(versionAt)}(%d+)$') }
end

-- The place of the first share that would be more than he may have.
local function full(has, adds, most)
  for i = 1, ${sharesCount} do
    local added, limit = ARGV[adds + i - 1], ARGV[most + i - 1]
    if added ~= '0' and limit ~= '' and has[i] + added - limit > 0 then return i end
  end
end

local function set(shares, has)
  has[${versionAt}] = has[${versionAt}] + 1
  redis.call('SET', shares, table.concat(has, ';'))
end

local function add(shares, owners, owner, has, from)
  local isChanged = false
  for i = 1, ${sharesCount} do
    local by = ARGV[from + i - 1]
    if by ~= '0' then
      isChanged = true
      local sum = has[i] + by
      has[i] = sum > 0 and string.format('%.0f', sum) or '0'
    end
  end
  if not isChanged then return end
  if has[${versionAt}] == '0' then redis.call('ZADD', owners, '0', owner) end
  set(shares, has)
end
`;
