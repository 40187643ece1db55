/** Drops a name, as a part of the scripts that do: its owner is forgotten with the last of what is known of him. */
export const nameSteps = `
local function unname(names, shares, owners, requestKey, owner)
  redis.call('ZREM', names, requestKey)
  if redis.call('EXISTS', names, shares) == 0 then redis.call('ZREM', owners, owner) end
end
`;
