-- Appends a message, unless its receipt shows that it is in the chat log already.
-- KEYS: the chat log, the message's receipt. ARGV: sender, text, how long to keep the receipt in milliseconds, and how many messages
-- to keep in the chat log ('0' for all).
-- Returns 'stored' or 'replayed' with the message's index and time; 'reused' if the receipt is of another text; or 'unreadable'
-- with what is wrong with the stored data.
--
-- The epoch is the time in microseconds at which the chat log began, so that a log that was lost and begun anew is another log,
-- and says so in every id. A receipt is '<id> <time> <SHA-1 of the text>'.
local found = redis.pcall('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if found.err then return { 'unreadable', found.err } end

local now = redis.call('TIME')
local time = now[1] * 1000000 + now[2]
local epoch = string.format('%.0f', time)

local newest = found[1]
if newest then
  epoch = parse_id(newest[1])
  time = math.max(time, time_of(newest) + 1)
end

local digest = redis.sha1hex(ARGV[2])
local receipt = redis.pcall('GET', KEYS[2])
if receipt then
  if receipt.err then return { 'unreadable', receipt.err } end
  local sent_id, sent_time, sent_digest = string.match(receipt, '^(%S+) (%d+) (%x+)$')
  local sent_epoch, sent_index = parse_id(sent_id or '')
  if not sent_epoch then return { 'unreadable', 'the receipt ' .. receipt } end
  -- A receipt of another log proves nothing: that log is lost, and the message with it.
  if newest and sent_epoch == epoch then
    if sent_digest ~= digest then return { 'reused' } end
    return { 'replayed', sent_index, tonumber(sent_time) }
  end
end

-- Redis numbers the entries: the newest one may have been removed by hand, and its index is never given out again.
time = string.format('%.0f', time)
local id = redis.call('XADD', KEYS[1], epoch .. '-*', time, ARGV[1] .. ':' .. ARGV[2])
redis.call('SET', KEYS[2], id .. ' ' .. time .. ' ' .. digest, 'PX', ARGV[3])
if ARGV[4] ~= '0' then redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[4]) end
local _, index = parse_id(id)
return { 'stored', index, tonumber(time) }
