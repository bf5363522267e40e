-- What stored read marks mean. Stands in front of the scripts that need it, after entry.lua and confirm.lua.
-- A mark is a position: everything up to its index is read.
-- The index of the first message that a position has not; 0 at the start.
local function next_index(position)
  local index = string.match(position, '^%d+%-(%d+)%-%d+$')
  return index and tonumber(index) + 1 or 0
end

-- The position that a stored mark means in the log as it is: '0' if there is no mark or if it is of another log. If a failover gave its
-- index to another message, it counts up to the last message that is not later.
local function read_up_to(log, newest, mark)
  if mark == newest[1] .. '-' .. newest[2][1] then return mark end
  local epoch, index, time = string.match(mark or '', '^(%d+)%-(%d+)%-(%d+)$')
  if not epoch then return '0' end
  local reset = unconfirmed(log, newest, epoch, tonumber(index), tonumber(time))
  if not reset then return mark end
  local start = reset[3]
  if reset[2] ~= epoch or start == 0 then return '0' end
  return format_position(epoch, start - 1, reset[4])
end

-- The index of the oldest message.
local function oldest_index(log, last)
  if redis.call('XLEN', log) > last then return 0 end
  local _, oldest = parse_id(first_of(log, 'XRANGE', '-', '+')[1])
  return oldest
end
