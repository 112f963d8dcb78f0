-- What the scripts share. KEYS[1] is always a channel's meta, KEYS[2] its entries.

-- epoch, top, tag, time of the top, bytes up to the top, first, bytes before the first, time of the first, 1 if the
-- entries have a ttl
local META = '<c8I8I4I8I8I8I8I8I1'
-- tag, tag of the entry before, time, bytes of all entries before
local HEADER = '<I4I4I8I8'

local function decode(value)
  local m = {}
  m.epoch, m.top, m.tag, m.ms, m.bytes, m.first, m.first_bytes, m.first_ms, m.expiring = struct.unpack(META, value)
  return m
end

local function encode(m)
  return struct.pack(META, m.epoch, m.top, m.tag, m.ms, m.bytes, m.first, m.first_bytes, m.first_ms, m.expiring)
end

local function begin(epoch)
  return {epoch = epoch, top = 0, tag = 0, ms = 0, bytes = 0, first = 1, first_bytes = 0, first_ms = 0, expiring = 0}
end

local function load()
  local value = redis.call('GET', KEYS[1])
  return value and decode(value)
end

-- A ttl of '0' keeps the channel for good. SET without PX also takes an older ttl away.
local function save(m, ttl)
  if ttl == '0' then
    redis.call('SET', KEYS[1], encode(m))
  else
    redis.call('SET', KEYS[1], encode(m), 'PX', ttl)
  end
end

-- Tests give the time; else it is the server's, so that the nodes' clocks do not matter.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- chain hashes an entry onto the tag before it: chainTag in Go is the same. The multiplier is odd, so logs that once
-- differed keep differing for as long as they append alike; all products stay below 2^53, where doubles are exact.
local function chain(prev, ms, hash)
  local tag = (prev * 40503 + ms % 4294967296 + hash) % 4294967296
  return tag == 0 and 1 or tag
end

local function header(m, offset)
  local tag, prev, ms, before = struct.unpack(HEADER, redis.call('LINDEX', KEYS[2], offset - m.top - 1))
  return {tag = tag, prev = prev, ms = ms, before = before}
end

-- seek returns the smallest offset of from..to whose header is ok, or to. Its cost grows with the logarithm of the way.
local function seek(m, from, to, ok)
  local low, high, step = from, from, 1
  while high < to and not ok(header(m, high)) do
    low, high, step = high + 1, math.min(to, high + step), step * 2
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if ok(header(m, middle)) then high = middle else low = middle + 1 end
  end
  return high
end

-- oldest_kept returns the first offset that is not older than the age allows; top + 1 if there is none.
local function oldest_kept(m, now, max_age)
  if max_age == 0 or m.first > m.top or m.first_ms >= now - max_age then return m.first end
  if m.ms < now - max_age then return m.top + 1 end
  return seek(m, m.first, m.top, function(h) return h.ms >= now - max_age end)
end

-- raise moves first and drops the entries before it.
local function raise(m, first)
  if first <= m.first then return end
  m.first = first
  if first > m.top then
    m.first_bytes, m.first_ms = m.bytes, m.ms
    redis.call('DEL', KEYS[2])
    return
  end
  local h = header(m, first)
  m.first_bytes, m.first_ms = h.before, h.ms
  redis.call('LTRIM', KEYS[2], first - m.top - 1, -1)
end

-- settle notices that the entries expired by themselves.
local function settle(m)
  if m.expiring == 1 and m.first <= m.top and redis.call('EXISTS', KEYS[2]) == 0 then
    m.first, m.first_bytes, m.first_ms = m.top + 1, m.bytes, m.ms
  end
end

-- verify reports whether (offset, tag) is, as far as can be known, a position of the log.
local function verify(m, offset, tag)
  if offset > m.top then return false end
  if offset == m.top then return tag == m.tag end
  if offset == 0 then return tag == 0 end
  if offset >= m.first then return header(m, offset).tag == tag end
  if offset == m.first - 1 then return header(m, m.first).prev == tag end
  return true
end
