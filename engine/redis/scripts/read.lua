-- Reads a page of a log: its meta, the first offset that is not too old, the offset of the first entry, the entries.
-- ARGV: mode, offset or count, limit, bytes, time, age.
local mode, number, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local max_bytes, now, max_age = tonumber(ARGV[4]), clock(ARGV[5]), tonumber(ARGV[6])
local CHUNK = 16 -- entries read at once, so that a page that ends by its bytes does not read many more

local m = load()
if not m then return false end
settle(m)
m.first = oldest_kept(m, now, max_age)
local from, to, backward = m.first, m.top, mode == 'before' or mode == 'newest'
if mode == 'since' then from = number + 1 end
if mode == 'last' then from = math.max(from, m.top - number + 1) end
if mode == 'before' then to = number end

local page = {encode(m), m.first, 0}
if from < m.first or to > m.top or from > to then return page end

local function range(a, b)
  return redis.call('LRANGE', KEYS[2], a - m.top - 1, b - m.top - 1)
end

local function before(value)
  local _, _, _, bytes = struct.unpack(HEADER, value)
  return bytes
end

local function forward()
  to = math.min(to, from + limit - 1)
  page[3] = from
  local start
  for a = from, to, CHUNK do
    for _, value in ipairs(range(a, math.min(to, a + CHUNK - 1))) do
      page[#page + 1] = value
    end
    start = start or before(page[4])
    if max_bytes > 0 and before(page[#page]) - start >= max_bytes then return end
  end
end

local function back()
  from = math.max(from, to - limit + 1)
  local chunks, final = {}, nil
  local a = to + 1
  repeat
    local b = a - 1
    a = math.max(from, b - CHUNK + 1)
    local chunk = range(a, b)
    chunks[#chunks + 1] = chunk
    final = final or before(chunk[#chunk])
  until a == from or (max_bytes > 0 and final - before(chunk[1]) >= max_bytes)
  page[3] = a
  for i = #chunks, 1, -1 do
    for _, value in ipairs(chunks[i]) do page[#page + 1] = value end
  end
end

if backward then back() else forward() end
return page
