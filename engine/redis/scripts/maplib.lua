-- What the scripts of maps share. KEYS of a map: meta, values, versions, expiries, owned, tombstones, tags.
local VALUES, VERSIONS, EXPIRIES, OWNED, TOMBSTONES, TAGS = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]

-- After HEADER: version, when it expires (0: never), run of the owner's node, whether it is a tombstone, the owner.
local MAP_HEADER = '<I8I8c8I1I2c0'

-- latest returns the newest entry of a key, or nil.
local function latest(key)
  local value = redis.call('HGET', VALUES, key)
  if not value then return nil end
  local _, _, ms = struct.unpack(HEADER, value)
  local version, expires, run, gone, owner = struct.unpack(MAP_HEADER, value, struct.size(HEADER) + 1)
  return {version = version, expires = expires, run = run, gone = gone == 1, owner = owner, ms = ms}
end

local function expired(entry, now) return entry.expires ~= 0 and entry.expires <= now end

local function count_keys() return redis.call('ZCARD', VERSIONS) - redis.call('ZCARD', TOMBSTONES) end

-- tag_at returns the tag of a version, or false if it was too long ago, or is no version.
local function tag_at(m, version)
  local tag = version > 0 and redis.call('LINDEX', TAGS, version - m.top - 1)
  return tag and struct.unpack('<I4', tag)
end
