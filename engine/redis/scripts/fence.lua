-- Begins a new epoch if a position that a node was fed is not one of the log: a failover or a crash took the tail.
-- The newest entry is sent again under the new epoch, so that every node notices.
-- ARGV: feed, epoch, offset, tag, new epoch, '1' if it keeps messages.
local feed, offset, tag, keeps = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[6] == '1'
local m = load()
if not m then return 0 end
if m.epoch ~= ARGV[2] then return 0 end
settle(m)
local lost
if keeps then lost = not verify(m, offset, tag) else lost = offset > m.top or (offset == m.top and tag ~= m.tag) end
if not lost then return 0 end
m.epoch = ARGV[5]
redis.call('SET', KEYS[1], encode(m), 'KEEPTTL')
if keeps and m.first <= m.top then
  local value = redis.call('LINDEX', KEYS[2], -1)
  redis.call('SPUBLISH', feed, struct.pack('<c8I8I4', m.epoch, m.top, #value) .. value)
end
return 1
