-- Appends a message. KEYS: the log. ARGV: sender, text.
-- Returns its index and its time; or, where the key is not a log, what Redis says of it.
--
-- An entry's id is <epoch>-<index>. The epoch is the time in microseconds at which the log began, so that a log that was lost
-- and begun anew is another log, and says so in every id.
local found = redis.pcall('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if found.err then return { found.err } end

local now = redis.call('TIME')
local time = now[1] * 1000000 + now[2]
local epoch, index = string.format('%.0f', time), 0

local newest = found[1]
if newest then
  local last
  epoch, last = string.match(newest[1], '^(%d+)-(%d+)$')
  index = last + 1
  time = math.max(time, (tonumber(newest[2][4]) or 0) + 1)
end

redis.call('XADD', KEYS[1], epoch .. '-' .. string.format('%.0f', index),
  'sender', ARGV[1], 'time', string.format('%.0f', time), 'text', ARGV[2])
return { index, time }
