-- Moves a reader's mark, if that is further than it is. KEYS: the chat log, its marks, the feeds of the reader and of the other member
-- (the same one in a chat with oneself); in a Cluster without the feeds, which are in other slots. ARGV: up to where: 'start'; or
-- 'position', an index, an epoch and a time; or 'index', an index and an epoch ('' for any) and ''; in a Cluster then the names of the
-- reader and of the other member, as keys have them.
-- Returns nothing if there is no message; else 'read', the reader's mark, the newest id and its time, the oldest index, and how many of the
-- places that the reader has not read are no message; or
-- 'void' or 'unreadable', as in page.lua; or an error of Redis: then nothing is changed.
local log, marks = KEYS[1], KEYS[2]
-- (Not among the keys, as in page.lua.)
local holes = string.sub(log, 1, -#'log' - 1) .. 'holes'
local chat, reader, other = tag_of(log, 'log'), ARGV[5] or tag_of(KEYS[3], 'feed'), ARGV[6] or tag_of(KEYS[4], 'feed')
local kind, index, basis, time = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])

local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', '1')
if found.err then return { 'unreadable', found.err } end
local stored = redis.pcall('HMGET', marks, reader, other)
if stored.err then return { 'unreadable', marks .. ': ' .. stored.err } end

local newest = found[1]
if kind == 'position' then
  local reset = unconfirmed(log, newest, basis, index, time)
  if reset then return reset end
elseif kind == 'index' and basis ~= '' then
  local epoch
  if newest then epoch = parse_id(newest[1]) else epoch = last_given(log) end
  if epoch ~= basis then return void(epoch, 0, 0) end
end
if not newest then return {} end

local epoch, last = parse_id(newest[1])
if kind == 'index' then
  index = math.min(index, last)
  local below = index == last and newest or first_of(log, 'XREVRANGE', format_id(epoch, index), '-')
  time = below and time_of(below) or 0
end

-- All that is read comes before what is written, and the mark last: nothing is changed if any of this is refused.
local oldest = oldest_index(log, last)
local read, moved = read_up_to(log, newest, stored[1]), nil
if kind ~= 'start' and index + 1 > next_index(read) then
  read = format_position(epoch, index, time)
  moved = { 'HSET', marks, reader, read }
  -- A log without marks is from before there were any: to the other member, too, nothing in it is new.
  if not stored[1] and not stored[2] and other ~= reader then
    moved[5], moved[6] = other, format_position(epoch, last, time_of(newest))
  end
end
local unread_holes = redis.call('XLEN', log) > last and 0 or holes_between(holes, epoch, math.max(next_index(read), oldest), last)
if moved then
  if KEYS[3] then ring(KEYS[3], chat) end
  if KEYS[4] and other ~= reader then ring(KEYS[4], chat) end
  redis.call(unpack(moved))
end
return { 'read', read, newest[1], newest[2][1], oldest, unread_holes }
