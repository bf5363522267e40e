-- Finds the position at which a stream begins. KEYS: the chat log. ARGV: 'now'; or 'cursor', an index and an epoch ('' for any); or
-- 'position', an index, an epoch and a time.
-- Returns 'at', an epoch ('' for none), the index of the next message, and the time of the newest message before it (0 for none); or
-- 'void' or 'unreadable', as in page.lua.
local log = KEYS[1]
local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', '1')
if found.err then return { 'unreadable', found.err } end
local newest = found[1]
local kind, index, basis, time = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])

if kind == 'position' then
  return unconfirmed(log, newest, basis, index, time) or { 'at', basis, index + 1, time }
end

local epoch, last
if newest then
  epoch, last = parse_id(newest[1])
else
  epoch, last = last_given(log)
end
local newest_time = newest and time_of(newest) or 0
if kind == 'cursor' and index == 0 then return { 'at', epoch or '', 0, 0 } end
if kind == 'cursor' and basis ~= '' then
  if basis ~= epoch then return void(epoch, 0, 0) end
  if index > last + 1 then return void(epoch, last + 1, newest_time) end
end
if not epoch then return { 'at', '', 0, 0 } end
if kind == 'now' or index > last then return { 'at', epoch, last + 1, newest_time } end
local below = first_of(log, 'XREVRANGE', format_id(epoch, index - 1), '-')
return { 'at', epoch, index, below and time_of(below) or 0 }
