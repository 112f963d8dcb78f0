-- Renews a node's lease. It reports 0 if the lease has ended, as other nodes may have seen.
-- KEYS: leases, infos. ARGV: run, info, milliseconds, '1' to begin one.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[4] ~= '1' and (not ends or tonumber(ends) <= now) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
