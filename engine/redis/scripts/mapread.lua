-- Reads a page of a map: its meta, the number of its keys, the time, the tag of the version it starts after ('' if that
-- was too long ago), whether there is more, then the entries. ARGV: version to start after, or 'newest'; limit, bytes, time.
local limit, max_bytes, now = tonumber(ARGV[2]), tonumber(ARGV[3]), clock(ARGV[4])
local CHUNK = 16

local m = load()
if not m then return false end
local since = ARGV[1] == 'newest' and m.top - 1 or tonumber(ARGV[1])
local tag = tag_at(m, since)
local page = {encode(m), count_keys(), now, tag and string.format('%.0f', tag) or '', 0}
local bytes, read = 0, 0

while read < limit do
  local n = math.min(CHUNK, limit - read)
  local keys = redis.call('ZRANGEBYSCORE', VERSIONS, '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', read, n + 1)
  local names = {}
  for i = 1, math.min(2 * n, #keys), 2 do names[#names + 1] = keys[i] end
  if #names == 0 then break end
  for _, value in ipairs(redis.call('HMGET', VALUES, unpack(names))) do
    page[#page + 1] = value
    bytes = bytes + #value
  end
  read = read + #names
  page[5] = #keys > 2 * n and 1 or 0
  if page[5] == 0 or (max_bytes > 0 and bytes >= max_bytes) then break end
end
return page
