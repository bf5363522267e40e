-- The places of a chat log that are no message: those of deleted messages and of notices. Stands in front of the scripts that need it, after
-- entry.lua. A bitmap has them: 8 bytes of the log's epoch, then the place i at bit 64 + i. One of another epoch counts as empty.
-- A place that was trimmed or removed by hand is not among them.
local HEADER_BITS, CHUNK = 64, 1024

local function header_of(epoch)
  return struct.pack('>I8', tonumber(epoch))
end

local function has_holes(holes, epoch)
  return redis.call('GETRANGE', holes, 0, 7) == header_of(epoch)
end

local function is_notice(entry)
  return entry[2][3] == 'notice'
end

-- How many of these places are no message.
local function holes_between(holes, epoch, from, to)
  if from > to or not has_holes(holes, epoch) then return 0 end
  return redis.call('BITCOUNT', holes, HEADER_BITS + from, HEADER_BITS + to, 'BIT')
end

-- The first place from `place` on that is not among the holes.
local function message_above(holes, epoch, place)
  local bits = 8 * redis.call('STRLEN', holes)
  if HEADER_BITS + place >= bits or not has_holes(holes, epoch) then return place end
  local bit = redis.call('BITPOS', holes, 0, HEADER_BITS + place, -1, 'BIT')
  return (bit < 0 and bits or bit) - HEADER_BITS
end

-- The last place up to `place` that is not among the holes; -1 if there is none. (BITPOS does not look backwards.)
local function message_below(holes, epoch, place)
  if place < 0 or not has_holes(holes, epoch) then return place end
  local bits = 8 * redis.call('STRLEN', holes)
  if HEADER_BITS + place >= bits then return place end
  local last = math.floor((HEADER_BITS + place) / 8)
  -- What is above the place does not count.
  local above = 2 ^ (7 - (HEADER_BITS + place) % 8) - 1
  while last >= HEADER_BITS / 8 do
    local first = math.max(last - CHUNK + 1, HEADER_BITS / 8)
    local bytes = redis.call('GETRANGE', holes, first, last)
    for at = #bytes, 1, -1 do
      local byte = string.byte(bytes, at)
      if above > 0 then byte, above = bit.bor(byte, above), 0 end
      if byte ~= 255 then
        -- The last zero of the byte: its bits begin with the highest.
        local offset = 7
        while byte % 2 == 1 do
          byte, offset = math.floor(byte / 2), offset - 1
        end
        return 8 * (first + at - 1) + offset - HEADER_BITS
      end
    end
    last = first - 1
  end
  return -1
end
