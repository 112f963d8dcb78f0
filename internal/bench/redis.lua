-- What a durable publish to a log does, in one call: a repeated id gets the first answer; otherwise append, trim, remember the
-- id, and tell those that listen.
-- KEYS: the stream, the id, the offset of the last message. ARGV: how many messages to retain, for how long an id is remembered
-- (ms), the data.
local before = redis.call('GET', KEYS[2])
if before then return tonumber(before) end
local offset = redis.call('INCR', KEYS[3])
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], offset .. '-0', 'd', ARGV[3])
redis.call('SET', KEYS[2], offset, 'PX', ARGV[2])
redis.call('PUBLISH', KEYS[1], ARGV[3])
return offset
