-- Returns a channel's meta, begun if there is none. An empty channel is kept for another while.
-- ARGV: epoch to begin with, ttl of a channel that has no message or keeps none, '1' if it keeps messages.
local m = load()
if m and ARGV[3] == '1' and m.top > 0 then return encode(m) end
m = m or begin(ARGV[1])
save(m, ARGV[2])
return encode(m)
