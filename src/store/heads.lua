-- Reads the newest message of chats, what of each is read, and how far each log reaches.
-- KEYS: the log, the marks, the settings and the holes of each chat. ARGV: how many chats with messages are enough; how many bytes of a
-- text, and how many of data; then for each chat the fields of the reader and of the other member in its marks.
-- Returns 'heads', how many chats were looked at, and for each that has messages, as MessagePack: its number among the chats, the newest
-- id and its time, of the newest message the sender, the text, '1' if it was cut, and its data ('cut' if it is too long, '' for none), the
-- oldest index, and up to where the reader and the other have read. If something is set or deleted, then also '1' for each of `blocked`
-- and `muted` that the reader has set, the message's index and its time, and how many of the places that the reader has not read are
-- no message. Or its number, and what is wrong with the stored data.
-- It looks at fewer chats if their messages are long. At one at least.
local MOST_LOADED = 1536 * 1024
local enough, most_bytes, most_data = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

-- What follows the colon, cut at a character, and '1' if it was cut: the bytes after the first of one are 0x80 to 0xBF. (A pattern that
-- captures the text copies all of it.)
local function shown(value, colon)
  if #value - colon <= most_bytes then return string.sub(value, colon + 1), '' end
  local last = colon + most_bytes
  while last > colon and math.floor(string.byte(value, last + 1) / 64) == 2 do
    last = last - 1
  end
  return string.sub(value, colon + 1, last), '1'
end

-- Most chats have no settings: one look at all of them.
local settings_of_all = {}
for at = 3, #KEYS, 4 do
  settings_of_all[#settings_of_all + 1] = KEYS[at]
end
local NOTHING = {}
local has_settings = redis.call('EXISTS', unpack(settings_of_all)) > 0

-- The newest message. Below notices, an entry may also have been removed by hand.
local function newest_message(log, holes, newest, epoch, oldest)
  local entry = newest
  for _ = 1, 8 do
    if not entry or not is_notice(entry) then return entry end
    local place = message_below(holes, epoch, select(2, parse_id(entry[1])) - 1)
    if place < oldest then return false end
    entry = first_of(log, 'XREVRANGE', format_id(epoch, place), '-')
  end
  return false
end

-- (MessagePack has numbers too, but the component reads texts.)
local function text_of(count)
  return count == 0 and '0' or string.format('%.0f', count)
end

local function head(number, log, marks, settings, holes, reader, other)
  local length = redis.pcall('XLEN', log)
  if type(length) == 'table' then return { number, log .. ': ' .. length.err } end
  local newest = length > 0 and first_of(log, 'XREVRANGE', '+', '-')
  if not newest then return nil end
  local epoch, last = parse_id(newest[1])
  if not last then return { number, log .. ': ' .. newest[1] .. ' is not a message' } end
  local oldest = length > last and 0 or oldest_index(log, last)
  local message = newest_message(log, holes, newest, epoch, oldest)
  if not message then return nil end
  local index = message == newest and last or select(2, parse_id(message[1]))
  local value = message[2][2]
  local colon = string.find(value, ':', 1, true)
  if not index or not colon then return { number, log .. ': ' .. message[1] .. ' is not a message' } end
  local stored = redis.pcall('HMGET', marks, reader, other)
  if stored.err then return { number, marks .. ': ' .. stored.err } end
  local set = has_settings and redis.pcall('HMGET', settings, 'blocked:' .. reader, 'muted:' .. reader) or NOTHING
  if set.err then return { number, settings .. ': ' .. set.err } end
  local text, is_cut = shown(value, colon)
  local data = message[2][3] == 'data' and message[2][4] or ''
  if #data > most_data then data = 'cut' end
  local read, read_by_other = read_up_to(log, newest, stored[1]), read_up_to(log, newest, stored[2])
  local unread_holes = length > last and 0 or holes_between(holes, epoch, math.max(next_index(read), oldest), last)
  local found = {
    number, newest[1], newest[2][1], string.sub(value, 1, colon - 1), text, is_cut, data, text_of(oldest), read, read_by_other,
  }
  -- Most chats have nothing of this.
  if has_settings or message ~= newest or unread_holes > 0 then
    found[11], found[12], found[13] = set[1] or '', set[2] or '', text_of(index)
    found[14], found[15] = message[2][1], text_of(unread_holes)
  end
  return found
end

local heads, looked_at, there = {}, 0, 0
while there < enough and 4 * looked_at < #KEYS do
  local at, of_members = 4 * looked_at + 1, 2 * looked_at + 4
  local is_read, found = pcall(head, tostring(looked_at), KEYS[at], KEYS[at + 1], KEYS[at + 2], KEYS[at + 3], ARGV[of_members], ARGV[of_members + 1])
  if not is_read then
    if found ~= FULL then error(found) end
    break
  end
  looked_at, most_loaded = looked_at + 1, MOST_LOADED
  if found then
    heads[#heads + 1] = found
    if #found > 2 then there = there + 1 end
  end
end
return { 'heads', looked_at, cmsgpack.pack(heads) }
