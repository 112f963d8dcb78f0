-- Returns maps whose time has come. KEYS: schedule. ARGV: time, limit.
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', clock(ARGV[1]), 'LIMIT', 0, ARGV[2])
