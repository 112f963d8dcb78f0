-- Commits changes of one map, in order, and sends them to the nodes that listen.
-- KEYS: those of the map, then the idempotency key of each change that has one.
-- ARGV: see changeCall in Go; from CHANGES on, eleven for each change.
local feed, epoch, now, max_keys = ARGV[1], ARGV[2], clock(ARGV[3]), tonumber(ARGV[4])
local window, key_ttl, empty_ttl = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local CHANGES, FIELDS = 8, 11
local MAX_TOMBSTONES, TOMBSTONE_MS, MAX_TAGS = 1000, 3600000, 8192
local NO_RUN = '\0\0\0\0\0\0\0\0'

local m = load()
local known = m ~= false
if not known then m = begin(epoch) end
local news, from, used = {}, m.top + 1, 7

local function position() return struct.pack('<c8I8I4', m.epoch, m.top, m.tag) end

-- forget drops what finds an entry that is no longer its key's latest.
local function forget(key, old)
  if old.gone then redis.call('ZREM', TOMBSTONES, key) end
  if old.expires ~= 0 then redis.call('ZREM', EXPIRIES, key) end
  if old.run ~= NO_RUN then redis.call('ZREM', OWNED, old.run .. key) end
end

-- drop_tombstones forgets deleted keys that are too many or too old. Positions before them can't be continued.
local function drop_tombstones()
  for _ = 1, 4 do
    local key = redis.call('ZRANGE', TOMBSTONES, 0, 0)[1]
    local oldest = key and latest(key)
    if not oldest or oldest.version == m.top then return end
    if redis.call('ZCARD', TOMBSTONES) <= MAX_TOMBSTONES and oldest.ms >= now - TOMBSTONE_MS then return end
    m.first = math.max(m.first, oldest.version)
    redis.call('ZREM', TOMBSTONES, key)
    redis.call('ZREM', VERSIONS, key)
    redis.call('HDEL', VALUES, key)
  end
end

local function write(c, old)
  m.ms = math.max(m.ms, now)
  local prev = m.tag
  m.tag = chain(prev, m.ms, c.hash)
  m.top = m.top + 1
  local expires = c.ttl > 0 and now + c.ttl or 0
  local run = c.owner ~= '' and c.run or NO_RUN
  local value = struct.pack(HEADER, m.tag, prev, m.ms, 0)
    .. struct.pack(MAP_HEADER, m.top, expires, run, c.delete and 1 or 0, #c.owner, c.owner) .. c.payload
  if old then forget(c.key, old) end
  redis.call('HSET', VALUES, c.key, value)
  redis.call('ZADD', VERSIONS, m.top, c.key)
  redis.call('RPUSH', TAGS, struct.pack('<I4', m.tag))
  if c.delete then redis.call('ZADD', TOMBSTONES, m.top, c.key) end
  if expires ~= 0 then redis.call('ZADD', EXPIRIES, expires, c.key) end
  if run ~= NO_RUN then redis.call('ZADD', OWNED, 0, run .. c.key) end
  news[#news + 1] = struct.pack('<I4', #value)
  news[#news + 1] = value
end

-- refusal returns why a change is not made, or nil. A change that has nothing to do is answered with the newest position.
local function refusal(c, old)
  local version = old and not old.gone and not expired(old, now) and old.version or 0
  if c.tends ~= '' then -- of an entry that expired, or whose owner's node is dead
    local due = old and not old.gone and old.version == tonumber(c.tends) and (expired(old, now) or old.run == c.run)
    return not due and position() or nil
  end
  if c.if_version ~= '' and tonumber(c.if_version) ~= version then return 'version' end
  if c.delete and (version == 0 or (c.if_owner ~= '' and c.if_owner ~= old.owner)) then return position() end
  if not c.delete and (not old or old.gone) and count_keys() >= max_keys then return 'keys' end
  return nil
end

local function repeated(digest)
  local record = redis.call('GET', KEYS[used])
  if not record then return nil end
  local known, _, _, _, ms = struct.unpack('<c16c8I8I4I8', record)
  if now - ms >= window then return nil end
  return known == digest and record or 'reused'
end

local function commit(c)
  if c.digest ~= '' then
    used = used + 1
    local answer = repeated(c.digest)
    if answer then return answer end
  end
  local old = latest(c.key)
  local answer = refusal(c, old)
  if not answer then
    write(c, old)
    answer = position()
  end
  if c.digest ~= '' and #answer == #position() then
    redis.call('SET', KEYS[used], c.digest .. answer .. struct.pack('<I8', now), 'PX', key_ttl)
  end
  return answer
end

local answers = {}
for i = CHANGES, #ARGV, FIELDS do
  answers[#answers + 1] = commit({
    digest = ARGV[i], hash = tonumber(ARGV[i + 1]), payload = ARGV[i + 2], key = ARGV[i + 3], delete = ARGV[i + 4] == '1',
    if_version = ARGV[i + 5], ttl = tonumber(ARGV[i + 6]), owner = ARGV[i + 7], if_owner = ARGV[i + 8], run = ARGV[i + 9],
    tends = ARGV[i + 10],
  })
end
if #news > 0 then
  drop_tombstones()
  redis.call('LTRIM', TAGS, -MAX_TAGS, -1)
  save(m, '0')
  redis.call('SPUBLISH', feed, struct.pack('<c8I8', m.epoch, from) .. table.concat(news))
elseif not known then
  save(m, empty_ttl)
end
return answers
