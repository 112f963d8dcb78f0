-- Returns the runs whose lease has ended ('0') or not ('1'), each with its info. KEYS: leases, infos. ARGV: which.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local from, to = '-inf', now
if ARGV[1] == '1' then from, to = '(' .. now, '+inf' end
local list = {}
for _, run in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], from, to)) do
  list[#list + 1] = run
  list[#list + 1] = redis.call('HGET', KEYS[2], run) or ''
end
return list
