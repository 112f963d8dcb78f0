-- Has a map that was looked at looked at again: at a time, or, if none of its keys expires, once more a while after its
-- last change, as one may be on its way. KEYS: schedule. ARGV: channel, next time or '', last change, while, time.
local now = clock(ARGV[5])
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
elseif tonumber(ARGV[3]) + ARGV[4] > now then
  redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return 1
