-- Has a map looked at when a key of it expires, or earlier. KEYS: schedule. ARGV: channel, milliseconds until then, time.
redis.call('ZADD', KEYS[1], 'LT', clock(ARGV[3]) + ARGV[2], ARGV[1])
return 1
