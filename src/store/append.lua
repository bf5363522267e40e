-- Appends a message, unless a receipt shows that it was sent already; moves the sender's mark past it, puts the chat at its time in the
-- inboxes of both members, and rings their feeds.
-- KEYS: the chat log, its marks, the chat's settings, the inboxes of the sender and of the other member, their feeds, the bucket that the receipt goes to, and
-- other buckets that may have it; last, if the sender has a quota, the sender's rate. In a chat with oneself, the members' keys are the
-- same. In a Cluster, a chat and its members are in three slots: KEYS has no inboxes, feeds and rate then.
-- ARGV: '<sender>:<text>'; the receipt's field, and its tokens (4 bytes of the text's digest, 4 of the nonce); the mode: 'read' if the sender
-- has read the chat, 'guest' if the sender may besides send only in an open chat, 'unread' if the message is by somebody else in the
-- sender's name, 'look' if nothing is to be stored; for how many
-- milliseconds the receipt must be kept, and for how many a bucket is kept that would expire earlier; how many messages to keep in the chat
-- log (0 for all); how many replicas must have what this writes; for how many microseconds a message counts in the quota (0 for no quota),
-- and all of the quota's do; the message's data ('' for none). In a Cluster, also the sender's and the other member's names, as keys have them.
-- Returns 'stored' or 'replayed' with the message's index and time ('stored' if this request stored it, in this run or an earlier
-- one), and for how many microseconds the sender's messages count, if there is a quota; 'limited' with the latter; 'reused' if the receipt is of
-- another text; 'blocked' if the other member has blocked the sender; 'closed' if the sender may not send as the chat is not open; 'unknown' if nothing is to be stored and there is no receipt; 'unreadable' with what is wrong with the stored data; or an
-- error of Redis: then nothing is stored.
--
-- The epoch is the time in microseconds at which the chat log began, so that a log that was lost and begun anew is another log,
-- and says so in every id.
local RECEIPT = '>I7I6I7'
local RECEIPT_BYTES = 28
-- Removed by the same command, a chat log whose cap was lowered would keep all other clients of Redis waiting.
local MOST_TRIMMED = 1000

local log, marks, settings = KEYS[1], KEYS[2], KEYS[3]
local entry, field, tokens, mode = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local must_keep, keep, cap, replicas = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), ARGV[8]
local interval, span, data = tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11]
-- The chat and its members, as marks, inboxes and feeds name them.
local chat, sender, other = tag_of(log, 'log'), ARGV[12], ARGV[13]
local inbox, other_inbox, feed, other_feed
local first_bucket = 4
if not sender then
  inbox, other_inbox, feed, other_feed = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
  sender, other, first_bucket = tag_of(inbox, 'inbox'), tag_of(other_inbox, 'inbox'), 8
end
local is_of_two = sender ~= other
local bucket, last_bucket = KEYS[first_bucket], #KEYS
local rate
if interval > 0 then
  rate, last_bucket = KEYS[#KEYS], #KEYS - 1
end

local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', '1')
if found.err then return { 'unreadable', found.err } end
local now = redis.call('TIME')
local clock = now[1] * 1000000 + now[2]
local time = clock

local was_charged, used, by_stored = false, nil, nil
if rate then
  was_charged = redis.pcall('GET', rate)
  if is_refusal(was_charged) then return { 'unreadable', rate .. ': ' .. was_charged.err } end
  used, by_stored = counted(was_charged, clock, span)
end
local function charge(for_microseconds)
  local until_then = string.format('%d', clock + for_microseconds)
  redis.call('SET', rate, until_then, 'PX', math.ceil(for_microseconds / 1000))
end
if used and used < by_stored then charge(used) end

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

for i = first_bucket, last_bucket do
  local receipt = redis.pcall('HGET', KEYS[i], field)
  if receipt then
    if receipt.err then return { 'unreadable', KEYS[i] .. ': ' .. receipt.err } end
    if #receipt ~= RECEIPT_BYTES then return { 'unreadable', KEYS[i] .. ': a receipt of ' .. #receipt .. ' bytes' } end
    local sent_epoch, index, sent_time = struct.unpack(RECEIPT, receipt)
    if proves(sent_epoch, index, sent_time) then
      -- From Redis 7.2 on, WAIT waits for the connection's last write. The first one may have been another connection's.
      if replicas ~= '0' then redis.call('HSET', KEYS[i], field, receipt) end
      if string.sub(receipt, -4) == string.sub(tokens, -4) then return { 'stored', index, sent_time, used } end
      if string.sub(receipt, -8, -5) ~= string.sub(tokens, 1, 4) then return { 'reused' } end
      return { 'replayed', index, sent_time, used }
    end
  end
end

if mode == 'look' then return { 'unknown' } end

-- One look at all that most chats have not.
local is_special = redis.call('EXISTS', settings, feed or settings, other_feed or settings) > 0
local ended
if is_special or mode == 'guest' then
  local stored = redis.pcall('HMGET', settings, 'blocked:' .. other, 'open', 'epoch')
  if stored.err then return { 'unreadable', settings .. ': ' .. stored.err } end
  if stored[1] == '1' then return { 'blocked' } end
  if mode == 'guest' and stored[2] ~= '1' then return { 'closed' } end
  ended = stored[3]
end
if used and used + interval > span then return { 'limited', used } end

local index = 0
if newest then
  time = math.max(time, time_of(newest) + 1)
  index = last + 1
else
  -- All entries were removed by hand, or the chat was deleted: the log begins anew, later than before.
  ended = epoch or ended
  if ended then time = math.max(time, tonumber(ended) + 1) end
  epoch = string.format('%.0f', time)
end

local function write_receipt(of_index)
  local receipt = struct.pack(RECEIPT, tonumber(epoch), of_index, time) .. tokens
  redis.call('HSET', bucket, field, receipt)
end

local id, written = format_id(epoch, index), string.format('%d', time)
local most = cap > 0 and math.max(cap, redis.call('XLEN', log) + 1 - MOST_TRIMMED)
local left = redis.call('PTTL', bucket)

local was_read = redis.pcall('HGET', marks, sender)
if is_refusal(was_read) then return { 'unreadable', marks .. ': ' .. was_read.err } end
local has_marks = was_read or redis.call('HGET', marks, other)
local function mark_read(up_to)
  if mode == 'unread' and has_marks then return end
  local read = up_to .. '-' .. written
  if has_marks then return redis.call('HSET', marks, sender, read) end
  -- A log without marks is from before there were any: to both members, nothing that was in it is new.
  local before = newest and format_position(epoch, last, time_of(newest)) or '0'
  if mode == 'unread' then read = before end
  if not newest or not is_of_two then return redis.call('HSET', marks, sender, read) end
  return redis.call('HSET', marks, sender, read, other, before)
end

-- All or nothing, by order: nobody sees a step of it, and the message comes last. Redis itself needs that order: if the end of its
-- append-only file is torn off, it may run the first commands of this script at its next start, and not the others.
local has_charge, has_receipt, has_mark, ranked, other_ranked
local function store()
  if rate then
    charge(used + interval)
    has_charge = true
  end
  if feed and is_special then
    ring(feed, chat)
    if is_of_two then ring(other_feed, chat) end
  end
  write_receipt(index)
  has_receipt = true
  if left < must_keep then redis.call('PEXPIRE', bucket, keep) end
  if inbox then
    ranked = rank(inbox, chat, written, not newest)
    if is_of_two then other_ranked = rank(other_inbox, chat, written, not newest) end
  end
  mark_read(id)
  has_mark = true
  if data ~= '' then
    if most then return redis.call('XADD', log, 'MAXLEN', '=', most, epoch .. '-*', written, entry, 'data', data) end
    return redis.call('XADD', log, epoch .. '-*', written, entry, 'data', data)
  end
  if most then return redis.call('XADD', log, 'MAXLEN', '=', most, epoch .. '-*', written, entry) end
  return redis.call('XADD', log, epoch .. '-*', written, entry)
end

local is_stored, reply = pcall(store)
if not is_stored then
  if has_charge and was_charged then
    pcall(charge, math.max(used, 1))
  elseif has_charge then
    -- This removes it, and needs no other command than the charge.
    redis.pcall('SET', rate, 0, 'PXAT', 1)
  end
  if has_mark and was_read then
    redis.pcall('HSET', marks, sender, was_read)
  elseif has_mark then
    redis.pcall('HDEL', marks, sender, has_marks and sender or other)
  end
  -- If this is not allowed, an inbox has a chat without messages, or one too high: a page leaves the one out and shows the other right.
  local function rank_back(of_inbox, added)
    if added == 1 then
      redis.pcall('ZREM', of_inbox, chat)
    elseif added and newest then
      redis.pcall('ZADD', of_inbox, newest[2][1], chat)
    end
  end
  rank_back(inbox, ranked)
  rank_back(other_inbox, other_ranked)
  -- If not even this is allowed, the receipt becomes one of an index that no log has given out.
  if has_receipt and is_refusal(redis.pcall('HDEL', bucket, field)) then pcall(write_receipt, 2 ^ 48 - 1) end
  -- Redis's `pcall` returns the text of a refusal, and a text would be passed on as an error of this script.
  error(is_refusal(reply) and reply or { err = reply })
end

-- Redis numbers the entries: the newest one may have been removed by hand, and its index is never given out again.
if reply ~= id then
  index = select(2, parse_id(reply))
  pcall(write_receipt, index)
  pcall(mark_read, reply)
end
return { 'stored', index, time, used and used + interval }
