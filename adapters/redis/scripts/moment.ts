/**
 * Gives a script the server's time as a text: in milliseconds, and the microseconds after that. Of one script it is always the same. A text, since Redis
 * takes a microsecond and more to write a number of that length.
 */
export const clock = `
local ms, rest
local function moment()
  if not ms then
    local now = redis.call('TIME')
    local micros = string.sub('00000' .. now[2], -6)
    ms, rest = now[1] .. string.sub(micros, 1, 3), string.sub(micros, 4)
  end
  return ms, rest
end
`;
