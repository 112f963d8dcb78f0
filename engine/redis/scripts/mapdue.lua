-- Returns keys that are to be deleted, each with its version: those that expired, or, with a run, those that belong to it;
-- and before them when the next key expires ('' if none does) and when the map changed last. ARGV: time, run, limit.
local now, run, limit = clock(ARGV[1]), ARGV[2], ARGV[3]

local keys
if run ~= '' then
  local last = run .. string.rep('\255', 32)
  keys = redis.call('ZRANGEBYLEX', OWNED, '[' .. run, '(' .. last, 'LIMIT', 0, limit)
  for i, member in ipairs(keys) do keys[i] = string.sub(member, 9) end
else
  keys = redis.call('ZRANGEBYSCORE', EXPIRIES, '-inf', now, 'LIMIT', 0, limit)
end
local following = redis.call('ZRANGEBYSCORE', EXPIRIES, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local m = load()
local due = {following[2] or '', m and string.format('%.0f', m.ms) or '0'}
for _, key in ipairs(keys) do
  due[#due + 1] = key
  due[#due + 1] = redis.call('ZSCORE', VERSIONS, key)
end
return due
