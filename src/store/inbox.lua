-- Reads the chats of an inbox, the newest first. KEYS: the inbox. ARGV: how many, and the place after which to begin, a time and a chat
-- ('' and '' for the newest).
-- Returns 'inbox' and as MessagePack, in one list, each chat and its time; or 'unreadable' with what is wrong with the stored data.
local inbox = KEYS[1]
local count, time, chat = tonumber(ARGV[1]), ARGV[2], ARGV[3]

-- Compares bytes, as Redis does within one time. Lua itself compares by locale.
local function is_below(one, other)
  for at = 1, math.min(#one, #other) do
    local a, b = string.byte(one, at), string.byte(other, at)
    if a ~= b then return a < b end
  end
  return #one < #other
end

local from = time ~= '' and time or '+inf'
local chats, got, passed = {}, 0, 0
while got < count do
  local some = redis.pcall('ZRANGE', inbox, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', passed, count, 'WITHSCORES')
  if some.err then return { 'unreadable', some.err } end
  for at = 1, #some, 2 do
    local member, score = some[at], some[at + 1]
    local follows = time == '' or tonumber(score) < tonumber(time) or is_below(member, chat)
    if follows and got < count then
      chats[2 * got + 1], chats[2 * got + 2] = member, score
      got = got + 1
    end
  end
  if #some < 2 * count then break end
  passed = passed + count
end
return { 'inbox', cmsgpack.pack(chats) }
