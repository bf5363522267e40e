-- Appends a message, unless a receipt shows that it was sent already; moves the sender's mark past it, puts the chat at its time in the
-- inboxes of both members, and rings their feeds.
-- KEYS: the chat log, its marks, the inboxes of the sender and of the other member, their feeds, the bucket that the receipt goes to, and
-- other buckets that may have it. In a chat with oneself, the members' keys are the same. In a Cluster, a chat and its members are in
-- three slots: KEYS has no inboxes and feeds then, which touch_member.lua touches.
-- ARGV: '<sender>:<text>'; and packed, the receipt's field, the request's tokens (4 bytes of the text's digest, 4 of the nonce), for how
-- many milliseconds the receipt must be kept, for how many a bucket is kept that would expire earlier, and how many messages to keep in
-- the chat log (0 for all). In a Cluster, also the sender's and the other member's names, as keys have them.
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

local log, marks = KEYS[1], KEYS[2]
local entry, field, tokens, must_keep, keep, cap = ARGV[1], struct.unpack('>c12c8I8I8I8', ARGV[2])
-- The chat and its members, as marks, inboxes and feeds name them.
local chat, sender, other = tag_of(log), ARGV[3], ARGV[4]
local inboxes, feeds, first_bucket = {}, {}, 3
if not sender then
  sender, other, first_bucket = tag_of(KEYS[3]), tag_of(KEYS[4]), 7
  inboxes[1], feeds[1] = KEYS[3], KEYS[5]
  if other ~= sender then
    inboxes[2], feeds[2] = KEYS[4], KEYS[6]
  end
end
local bucket = KEYS[first_bucket]

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

for i = first_bucket, #KEYS do
  local receipt = redis.pcall('HGET', KEYS[i], field)
  if receipt then
    if receipt.err then return { 'unreadable', KEYS[i] .. ': ' .. receipt.err } end
    if #receipt ~= RECEIPT_BYTES then return { 'unreadable', KEYS[i] .. ': a receipt of ' .. #receipt .. ' bytes' } end
    local sent_epoch, index, sent_time = struct.unpack(RECEIPT, receipt)
    if proves(sent_epoch, index, sent_time) then
      if string.sub(receipt, -4) == string.sub(tokens, -4) then return { 'stored', index, sent_time } end
      if string.sub(receipt, -8, -5) ~= string.sub(tokens, 1, 4) then return { 'reused' } end
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
  local receipt = struct.pack(RECEIPT, tonumber(epoch), of_index, time) .. tokens
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

local left = redis.call('PTTL', bucket)
local was_read = redis.pcall('HMGET', marks, sender, other)
if was_read.err then return { 'unreadable', marks .. ': ' .. was_read.err } end

local function mark_read(up_to)
  local command = { 'HSET', marks, sender, format_position(epoch, up_to, time) }
  -- A log without marks is from before there were any: to the other member, too, nothing that was in it is new.
  if newest and other ~= sender and not was_read[1] and not was_read[2] then
    command[5], command[6] = other, format_position(epoch, last, time_of(newest))
  end
  return redis.pcall(unpack(command))
end

-- All or nothing, by order. Nobody sees a step of it, so a feed may be rung before there is something to see. Every command stands here
-- for the first time before any that could not be undone, and the message comes last: a user who lacks one command stores nothing.
local has_receipt, has_mark, ranked = false, false, 0
local function store()
  local reply
  for _, feed in ipairs(feeds) do
    reply = ring(feed, chat)
    if is_refusal(reply) then return reply end
  end
  reply = write_receipt(index)
  if is_refusal(reply) then return reply end
  has_receipt = true
  if left < must_keep then reply = redis.pcall('PEXPIRE', bucket, keep) end
  if is_refusal(reply) then return reply end
  for number, inbox in ipairs(inboxes) do
    reply = rank(inbox, chat, written, not newest)
    if is_refusal(reply) then return reply end
    ranked = number
  end
  reply = mark_read(index)
  if is_refusal(reply) then return reply end
  has_mark = true
  return redis.pcall(unpack(append))
end

local id = store()
if is_refusal(id) then
  if has_mark and was_read[1] then
    redis.pcall('HSET', marks, sender, was_read[1])
  elseif has_mark then
    redis.pcall('HDEL', marks, sender)
  end
  -- If this is not allowed, an inbox has a chat without messages, or one too high: a page leaves the one out and shows the other right.
  for number = 1, ranked do
    if newest then
      redis.pcall('ZADD', inboxes[number], newest[2][1], chat)
    else
      redis.pcall('ZREM', inboxes[number], chat)
    end
  end
  -- If not even this is allowed, the receipt becomes one of an index that no log has given out.
  if has_receipt and is_refusal(redis.pcall('HDEL', bucket, field)) then write_receipt(2 ^ 48 - 1) end
  error(id)
end

-- Redis numbers the entries: the newest one may have been removed by hand, and its index is never given out again.
local _, given = parse_id(id)
if given ~= index then
  write_receipt(given)
  mark_read(given)
end
return { 'stored', given, time }
