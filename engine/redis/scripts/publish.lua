-- Commits messages of one channel, in order, and sends them to the nodes that listen.
-- KEYS: meta, entries, then the idempotency key of each message that has one.
-- ARGV: see publishArgs in Go; from MESSAGES on, four for each message.
local feed, epoch, now, keeps = ARGV[1], ARGV[2], clock(ARGV[3]), ARGV[4] == '1'
local max_count, max_bytes, max_age = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local ttl, window, key_ttl = ARGV[8], tonumber(ARGV[9]), ARGV[10]
local MESSAGES = 11

local m = load() or begin(epoch)
local listened = keeps or redis.call('PUBSUB', 'SHARDNUMSUB', feed)[2] > 0
local values, news, from = {}, {}, m.top + 1
local used = 2

-- repeated returns the answer to a message whose key was used before.
local function repeated(digest)
  local record = redis.call('GET', KEYS[used])
  if not record then return nil end
  local known, _, _, _, ms = struct.unpack('<c16c8I8I4I8', record)
  if now - ms >= window then return nil end
  return known == digest and record or 'reused'
end

local function append(hash, size, body)
  m.ms = math.max(m.ms, now) -- times of a log never go back
  local prev = m.tag
  m.tag = chain(prev, m.ms, hash)
  m.top = m.top + 1
  local value = struct.pack(HEADER, m.tag, prev, m.ms, m.bytes) .. body
  if m.first == m.top then m.first_bytes, m.first_ms = m.bytes, m.ms end
  m.bytes = m.bytes + size
  values[#values + 1] = value
  news[#news + 1] = struct.pack('<I4', #value)
  news[#news + 1] = value
end

local function commit(digest, hash, size, body)
  if digest ~= '' then
    used = used + 1
    local answer = repeated(digest)
    if answer then return answer end
  end
  local at = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
  if listened then
    append(hash, size, body)
    at = struct.pack('<c8I8I4', m.epoch, m.top, m.tag)
  end
  if digest ~= '' then
    redis.call('SET', KEYS[used], digest .. at .. struct.pack('<I8', now), 'PX', key_ttl)
  end
  return at
end

settle(m)
local answers = {}
for i = MESSAGES, #ARGV, 4 do
  answers[#answers + 1] = commit(ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), ARGV[i + 3])
end
if #values == 0 then
  if not listened then redis.call('DEL', KEYS[1]) end
  return answers
end
if keeps then
  redis.call('RPUSH', KEYS[2], unpack(values))
  local first = oldest_kept(m, now, max_age)
  if max_count > 0 then first = math.max(first, m.top - max_count + 1) end
  if max_bytes > 0 and m.bytes - m.first_bytes > max_bytes then
    first = seek(m, first, m.top, function(h) return m.bytes - h.before <= max_bytes end)
  end
  raise(m, first)
  if max_age > 0 then
    m.expiring = 1
    redis.call('PEXPIRE', KEYS[2], max_age + 60000)
  elseif m.expiring == 1 then
    m.expiring = 0
    redis.call('PERSIST', KEYS[2])
  end
end
save(m, ttl)
redis.call('SPUBLISH', feed, struct.pack('<c8I8', m.epoch, from) .. table.concat(news))
return answers
