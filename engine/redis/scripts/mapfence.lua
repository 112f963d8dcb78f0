-- Begins a new epoch if a position that a node was fed is not one of the map: see fence.lua.
-- ARGV: feed, epoch, version, tag, new epoch.
local feed, version, tag = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local m = load()
if not m or m.epoch ~= ARGV[2] then return 0 end
local known = tag_at(m, version)
if version <= m.top and (not known or known == tag) then return 0 end
m.epoch = ARGV[5]
redis.call('SET', KEYS[1], encode(m), 'KEEPTTL')
local key = redis.call('ZRANGE', VERSIONS, -1, -1)[1]
if key then
  local value = redis.call('HGET', VALUES, key)
  redis.call('SPUBLISH', feed, struct.pack('<c8I8I4', m.epoch, m.top, #value) .. value)
end
return 1
