-- Counts a message in its sender's quota before it is stored, in a Cluster, where the two are on different nodes; or takes that back.
-- KEYS: the sender's charges: '<until when they count, in microseconds>:<the nonces of the last ones>'.
-- ARGV: the nonce of the request, 17 characters of which the last is a comma; for how many microseconds a message counts, and all of the
-- quota do; and 'take' or 'back'.
-- Returns 'charged' or 'limited', and for how many microseconds the sender's messages count. The same again changes nothing, unless so
-- many others came between that its nonce is forgotten.
local REMEMBERED = 128
local charges, nonce = KEYS[1], ARGV[1]
local interval, span = tonumber(ARGV[2]), tonumber(ARGV[3])

local now = redis.call('TIME')
local clock = now[1] * 1000000 + now[2]
local ends, nonces = string.match(redis.call('GET', charges) or '', '^(%d+):(.*)$')
nonces = nonces or ''
local used, by_stored = counted(ends, clock, span)
local found = string.find(nonces, nonce, 1, true)

local function write()
  local value = string.format('%.0f:', clock + used) .. string.sub(nonces, 1, REMEMBERED * #nonce)
  redis.call('SET', charges, value, 'PX', math.max(1, math.ceil(used / 1000)))
end

local reply = 'charged'
if ARGV[4] == 'back' then
  if found then
    used = math.max(0, used - interval)
    nonces = string.sub(nonces, 1, found - 1) .. string.sub(nonces, found + #nonce)
    write()
  end
elseif not found and used + interval > span then
  reply = 'limited'
  if used < by_stored then write() end
elseif not found then
  used = used + interval
  nonces = nonce .. nonces
  write()
end
return { reply, used }
