-- Takes, renews or gives back a lease of one of a person's streams. KEYS: the person's leases, each by the time in microseconds at which it ends.
-- ARGV: the lease, how many milliseconds it lasts (0 to give it back), and how many there may be ('' if it is not new).
-- Returns 'kept', or 'limited' if there are as many already: then the lease is not taken.
local leases, lease, length, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if length == 0 then
  redis.call('ZREM', leases, lease)
  return { 'kept' }
end
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local ends = string.format('%.0f', now + length * 1000)

redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
-- A second try finds the lease that the first one took.
if most and redis.call('ZCARD', leases) >= most and not redis.call('ZSCORE', leases, lease) then
  -- If the clock was set back, what ends later than it can ends when a new one would.
  for _, late in ipairs(redis.call('ZRANGE', leases, '(' .. ends, '+inf', 'BYSCORE')) do
    redis.call('ZADD', leases, ends, late)
  end
  return { 'limited' }
end
redis.call('ZADD', leases, ends, lease)
redis.call('PEXPIRE', leases, length)
return { 'kept' }
