-- What a chat log's entries look like. Stands in front of every script that needs it.
-- An entry's id is <epoch>-<index>. The name of its first field is the time in microseconds, the value is <sender>:<text>. A message with
-- data has a second field, `data`.
-- The epoch stays text: Lua's numbers are exact only up to 2^53.
local function parse_id(id)
  local epoch, index = string.match(id, '^(%d+)%-(%d+)$')
  return epoch, tonumber(index)
end

local function format_id(epoch, index)
  return epoch .. '-' .. string.format('%.0f', index)
end

-- A position: everything up to the index, whose newest entry was sent at that time.
local function format_position(epoch, index, time)
  return format_id(epoch, index) .. '-' .. string.format('%.0f', time)
end

local function time_of(entry)
  return tonumber(entry[2][1]) or 0
end

-- The id that the log gave out last, even if its entry was removed; nothing if there is no log.
local function last_given(log)
  local info = redis.pcall('XINFO', 'STREAM', log)
  if info.err then
    if string.find(info.err, 'no such key', 1, true) then return nil end
    error(info)
  end
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return parse_id(info[i + 1]) end
  end
end

-- How many bytes of entries the script has loaded one by one, and from how many on it loads no more. A text of 64 KiB costs Redis
-- a thousand times as much as a short one, and Redis does nothing else meanwhile.
local loaded, most_loaded = 0, math.huge
local FULL = {}

local function load(log, command, from, to)
  if loaded >= most_loaded then error(FULL) end
  -- (A number among the words of a command costs Redis more than a text.)
  local found = redis.call(command, log, from, to, 'COUNT', '1')[1]
  for _, word in ipairs(found and found[2] or {}) do
    loaded = loaded + #word
  end
  return found or false
end

-- The first entry, if there is one. None is loaded twice: what a script asks for comes before what it writes.
local known = {}
local function first_of(log, command, from, to)
  local question = command .. log .. from .. ' ' .. to
  if known[question] == nil then known[question] = load(log, command, from, to) end
  return known[question]
end
