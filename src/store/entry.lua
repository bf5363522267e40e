-- What a chat log's entries look like. Stands in front of every script that needs it.
-- An entry's id is <epoch>-<index>. It has one field: its name is the time in microseconds, its value is <sender>:<text>.
-- The epoch stays text: Lua's numbers are exact only up to 2^53.
local function parse_id(id)
  local epoch, index = string.match(id, '^(%d+)%-(%d+)$')
  return epoch, tonumber(index)
end

local function format_id(epoch, index)
  return epoch .. '-' .. string.format('%.0f', index)
end

local function time_of(entry)
  return tonumber(entry[2][1]) or 0
end
