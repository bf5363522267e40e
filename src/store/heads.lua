-- Reads the newest message of chats, what of each is read, and how far each log reaches.
-- KEYS: the log and the marks of each chat. ARGV: how many chats with messages are enough; how many bytes of a text; then for each chat
-- the fields of the reader and of the other member in its marks.
-- Returns 'heads', how many chats were looked at, and for each that has messages, as MessagePack: its number among the chats, the newest
-- id and its time, the sender, the text, '1' if it was cut, the oldest index, and up to where the reader and the other have read; or
-- its number, and what is wrong with the stored data.
local enough, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])

-- Cuts a text at a character: the bytes after the first of one are 0x80 to 0xBF.
local function cut(text)
  if #text <= most_bytes then return text, '' end
  local last = most_bytes
  while last > 0 and math.floor(string.byte(text, last + 1) / 64) == 2 do
    last = last - 1
  end
  return string.sub(text, 1, last), '1'
end

local function head(number, log, marks, reader, other)
  local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', '1')
  if found.err then return { number, log .. ': ' .. found.err } end
  local newest = found[1]
  if not newest then return nil end
  local _, last = parse_id(newest[1])
  local sender, text = string.match(newest[2][2], '^([^:]*):(.*)$')
  if not last or not sender then return { number, log .. ': ' .. newest[1] .. ' is not a message' } end
  local stored = redis.pcall('HMGET', marks, reader, other)
  if stored.err then return { number, marks .. ': ' .. stored.err } end
  local shown, is_cut = cut(text)
  local oldest = string.format('%.0f', oldest_index(log, last))
  local read, read_by_other = read_up_to(log, newest, stored[1]), read_up_to(log, newest, stored[2])
  return { number, newest[1], newest[2][1], sender, shown, is_cut, oldest, read, read_by_other }
end

local heads, looked_at, there = {}, 0, 0
while there < enough and 2 * looked_at < #KEYS do
  local number = looked_at
  looked_at = looked_at + 1
  local log, marks = KEYS[2 * looked_at - 1], KEYS[2 * looked_at]
  local found = head(tostring(number), log, marks, ARGV[2 * looked_at + 1], ARGV[2 * looked_at + 2])
  if found then
    heads[#heads + 1] = found
    if #found > 2 then there = there + 1 end
  end
end
return { 'heads', looked_at, cmsgpack.pack(heads) }
