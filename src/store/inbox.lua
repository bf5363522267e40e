-- Reads the chats of an inbox. KEYS: the inbox. ARGV: how many; the place after which to begin, a time and a chat ('' and '' for the
-- first); and which come first, 'newest' or 'oldest'.
-- Returns 'inbox' and as MessagePack, in one list, each chat and its time; or 'unreadable' with what is wrong with the stored data.
local inbox = KEYS[1]
local count, time, chat, order = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]

local function ranked(first, last)
  if order == 'oldest' then return redis.call('ZRANGE', inbox, first, last, 'WITHSCORES') end
  return redis.call('ZRANGE', inbox, first, last, 'REV', 'WITHSCORES')
end

-- Compares bytes, as Redis does within one time. Lua itself compares by locale.
local function is_below(one, other)
  for at = 1, math.min(#one, #other) do
    local a, b = string.byte(one, at), string.byte(other, at)
    if a ~= b then return a < b end
  end
  return #one < #other
end

-- Whether the page begins at this rank or above: with the first chat that follows the place, whose own may be gone, or has none.
local function is_on_page(rank)
  local found = ranked(rank, rank)
  local member, score = found[1], tonumber(found[2])
  if order == 'oldest' then return not member or score > tonumber(time) or score == tonumber(time) and is_below(chat, member) end
  return not member or score < tonumber(time) or score == tonumber(time) and is_below(member, chat)
end

-- The page's first rank, by binary search: there may be many chats of one time.
local function first_rank()
  local low, high = 0, 1
  while not is_on_page(high - 1) do
    low, high = high, 2 * high
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_on_page(middle) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local newest = redis.pcall('ZRANGE', inbox, 0, 0, 'REV')
if newest.err then return { 'unreadable', newest.err } end
local first = time ~= '' and first_rank() or 0
return { 'inbox', cmsgpack.pack(ranked(first, first + count - 1)) }
