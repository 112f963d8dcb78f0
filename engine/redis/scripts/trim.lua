-- Drops the entries up to a position. ARGV: epoch, offset, tag, ttl.
local offset, tag = tonumber(ARGV[2]), tonumber(ARGV[3])
local m = load()
if not m or m.epoch ~= ARGV[1] then return 0 end
settle(m)
if not verify(m, offset, tag) then return 0 end
raise(m, offset + 1)
save(m, ARGV[4])
return 1
