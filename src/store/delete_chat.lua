-- Deletes a chat: its log, marks and holes, and its place in both inboxes; its settings stay, and keep the epoch, so that the next log's is
-- later. KEYS: the chat log, its marks, its holes, its settings; on one Redis then the inboxes of both members, and their feeds (in a chat
-- with oneself, one of each). ARGV: the log's epoch.
-- Returns 'deleted' and the time of the log's newest entry (0 if it was gone already); 'void', as in page.lua, if the log is another; or
-- 'unreadable' with what is wrong with the stored data; or an error of Redis: then nothing is deleted.
local log, marks, holes, settings = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local epoch, chat = ARGV[1], tag_of(log, 'log')

local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', '1')
if found.err then return { 'unreadable', found.err } end
local newest = found[1]
local log_epoch
if newest then log_epoch = parse_id(newest[1]) else log_epoch = last_given(log) end
local ended = redis.pcall('HGET', settings, 'epoch')
if is_refusal(ended) then return { 'unreadable', settings .. ': ' .. ended.err } end
-- Said again, it writes again: WAIT waits for the connection's last write.
local is_again = not log_epoch and ended and tonumber(ended) >= tonumber(epoch)
if log_epoch ~= epoch and not is_again then return void(log_epoch, 0, 0) end

-- Whoever may not do the last step must not do the first.
local function each_inbox(member)
  for at = 5, #KEYS do
    if string.sub(KEYS[at], -6) == ':inbox' then redis.call('ZREM', KEYS[at], member) end
  end
end
each_inbox('')
redis.call('HSET', settings, 'epoch', is_again and ended or epoch)
for at = 5, #KEYS do
  if string.sub(KEYS[at], -5) == ':feed' then ring(KEYS[at], chat) end
end
if not is_again then
  redis.call('UNLINK', marks, holes, log)
  each_inbox(chat)
end
return { 'deleted', newest and time_of(newest) or 0 }
