-- Reads the newest change of a key of a map: its meta, the change, the time. ARGV: key, time.
local m = load()
local value = m and redis.call('HGET', VALUES, ARGV[1])
if not value then return false end
return {encode(m), value, clock(ARGV[2])}
