/** Gives a script the server's time, in milliseconds with their parts, and of one script always the same. */
export const clock = `
local known
local function moment()
  if not known then
    local now = redis.call('TIME')
    known = now[1] * 1000 + now[2] / 1000
  end
  return known
end
`;
