-- Deletes a message: a notice takes a place in the log, and the message goes. KEYS: the chat log, its holes, and the feeds of both members
-- (in a Cluster, they are in other slots). ARGV: the message's epoch, index and time; who deletes it: '0' or '1' for the first or
-- the second member, 's' for the app's service; the sender as the entry must spell it ('' for any).
-- Returns 'deleted', also if the message is gone already; 'sender' and the spelling, if the entry has another; 'other' if another message, or a
-- notice, has that place; 'full' if the log is too long; 'void', as in page.lua, if the log is another, or has never given out the index; or
-- 'unreadable' with what is wrong with the stored data; or an error of Redis: then nothing is deleted.
-- Said again it writes again: replicas may lack what an earlier try wrote, and WAIT waits for the connection's last write.
local MOST_PLACES = 2 ^ 25
local log, holes, feeds = KEYS[1], KEYS[2], { KEYS[3], KEYS[4] }
local epoch, index, sent, by, spelled = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local chat, own = tag_of(log, 'log'), format_id(epoch, index)

local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', '1')
if found.err then return { 'unreadable', found.err } end
local newest = found[1]
local log_epoch, last
if newest then log_epoch, last = parse_id(newest[1]) end
if not newest or index > last then
  local _
  log_epoch, last = last_given(log)
end
if log_epoch ~= epoch then return void(log_epoch, 0, 0) end
if index > last then return void(epoch, last + 1, newest and time_of(newest) or 0) end

local entry = first_of(log, 'XRANGE', own, own)
if not entry then
  if has_holes(holes, epoch) then
    local byte = math.floor((HEADER_BITS + index) / 8)
    local value = redis.call('GETRANGE', holes, byte, byte)
    if value ~= '' then redis.call('SETRANGE', holes, byte, value) end
  end
  for _, feed in ipairs(feeds) do
    ring(feed, chat)
  end
  return { 'deleted' }
end
local sender = string.match(entry[2][2], '^([^:]*):')
if is_notice(entry) or entry[2][1] ~= sent or not sender then return { 'other' } end
if spelled ~= '' and sender ~= spelled then return { 'sender', sender } end
if last + 1 >= MOST_PLACES then return { 'full' } end

local now = redis.call('TIME')
local time = math.max(now[1] * 1000000 + now[2], time_of(newest) + 1)
-- Whoever may not remove an entry must not announce it.
redis.call('XDEL', log, '0-1')
local had_holes = has_holes(holes, epoch)
local notice
local function delete()
  notice = redis.call('XADD', log, epoch .. '-*', string.format('%d', time), '', 'notice', 'deleted ' .. index .. ' ' .. sent .. ' ' .. by)
  if not had_holes then redis.call('SET', holes, header_of(epoch)) end
  redis.call('SETBIT', holes, HEADER_BITS + select(2, parse_id(notice)), 1)
  redis.call('SETBIT', holes, HEADER_BITS + index, 1)
  for _, feed in ipairs(feeds) do
    ring(feed, chat)
  end
  redis.call('XDEL', log, own)
end
local is_done, why = pcall(delete)
if not is_done then
  -- The notice's place stays empty, and is a hole; the message's is none.
  if notice then
    redis.pcall('XDEL', log, notice)
    redis.pcall('SETBIT', holes, HEADER_BITS + index, 0)
  end
  error(is_refusal(why) and why or { err = why })
end
return { 'deleted' }
