-- The id of an entry: <epoch>-<index>. Stands in front of every script that needs it.
-- The epoch stays text: Lua's numbers are exact only up to 2^53.
local function parse_id(id)
  local epoch, index = string.match(id, '^(%d+)%-(%d+)$')
  return epoch, tonumber(index)
end

local function format_id(epoch, index)
  return epoch .. '-' .. string.format('%.0f', index)
end
