-- Appends a message, unless a receipt shows that it was sent already.
-- KEYS: the chat log, the bucket that its receipt goes to, and other buckets that may have it. ARGV: '<sender>:<text>'; and packed, the
-- receipt's field, the request's marks (4 bytes of the text's digest, 4 of the nonce), for how many milliseconds the receipt must be
-- kept, for how many a bucket is kept that would expire earlier, and how many messages to keep in the chat log (0 for all).
-- (Packed, as Redis hangs up on a client without a password that sends more than ten words, and gives no reason.)
-- Returns 'stored' or 'replayed' with the message's index and time ('stored' if this request stored it, in this run or an earlier
-- one); 'reused' if the receipt is of another text; 'unreadable' with what is wrong with the stored data; or an error of Redis: then
-- nothing is stored.
--
-- The epoch is the time in microseconds at which the chat log began, so that a log that was lost and begun anew is another log,
-- and says so in every id.
local RECEIPT = '>I7I6I7'
local RECEIPT_BYTES = 28
-- Removed by the same command, a chat log whose cap was lowered would keep all other clients of Redis waiting.
local MOST_TRIMMED = 1000

local log, bucket = KEYS[1], KEYS[2]
local entry, field, marks, must_keep, keep, cap = ARGV[1], struct.unpack('>c12c8I8I8I8', ARGV[2])

local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', 1)
if found.err then return { 'unreadable', found.err } end
local now = redis.call('TIME')
local time = now[1] * 1000000 + now[2]

local newest = found[1]
local epoch, last
if newest then
  epoch, last = parse_id(newest[1])
else
  epoch, last = last_given(log)
end

-- A receipt proves its send unless the log shows that the message was lost. One that was trimmed or removed by hand was sent.
local function proves(sent_epoch, index, sent_time)
  if not epoch or tonumber(epoch) ~= sent_epoch then return false end
  if index > last then
    local _, given = last_given(log)
    if index > given then return false end
  end
  local id = format_id(epoch, index)
  local sent = index == last and newest or first_of(log, 'XRANGE', id, id)
  return not sent or time_of(sent) == sent_time
end

for i = 2, #KEYS do
  local receipt = redis.pcall('HGET', KEYS[i], field)
  if receipt then
    if receipt.err then return { 'unreadable', KEYS[i] .. ': ' .. receipt.err } end
    if #receipt ~= RECEIPT_BYTES then return { 'unreadable', KEYS[i] .. ': a receipt of ' .. #receipt .. ' bytes' } end
    local sent_epoch, index, sent_time = struct.unpack(RECEIPT, receipt)
    if proves(sent_epoch, index, sent_time) then
      if string.sub(receipt, -4) == string.sub(marks, -4) then return { 'stored', index, sent_time } end
      if string.sub(receipt, -8, -5) ~= string.sub(marks, 1, 4) then return { 'reused' } end
      return { 'replayed', index, sent_time }
    end
  end
end

local index = 0
if newest then
  time = math.max(time, time_of(newest) + 1)
  index = last + 1
else
  -- All entries were removed by hand: the log begins anew, later than before.
  if epoch then time = math.max(time, tonumber(epoch) + 1) end
  epoch = string.format('%.0f', time)
end

local function write_receipt(of_index)
  local receipt = struct.pack(RECEIPT, tonumber(epoch), of_index, time) .. marks
  return redis.pcall('HSET', bucket, field, receipt)
end

local append = { 'XADD', log }
if cap > 0 then
  append[3], append[4], append[5] = 'MAXLEN', '=', math.max(cap, redis.call('XLEN', log) + 1 - MOST_TRIMMED)
end
local written = string.format('%.0f', time)
for _, word in ipairs({ epoch .. '-*', written, entry }) do
  append[#append + 1] = word
end

-- All or nothing, by order: a receipt without its message proves nothing, and the message comes last.
local left = redis.call('PTTL', bucket)
local refused = write_receipt(index)
if type(refused) == 'table' then error(refused) end
if left < must_keep then refused = redis.pcall('PEXPIRE', bucket, keep) end
local id = type(refused) ~= 'table' and redis.pcall(unpack(append)) or refused
if type(id) == 'table' then
  -- If not even this is allowed, the receipt becomes one of an index that no log has given out.
  local removed = redis.pcall('HDEL', bucket, field)
  if type(removed) == 'table' then write_receipt(2 ^ 48 - 1) end
  error(id)
end

-- Redis numbers the entries: the newest one may have been removed by hand, and its index is never given out again.
local _, given = parse_id(id)
if given ~= index then write_receipt(given) end
return { 'stored', given, time }
