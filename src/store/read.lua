-- Reads a page. KEYS: the chat log. ARGV: 'forward' or 'reverse', cursor, count, the index that bounds the page ('' for none), and
-- how many bytes of text end a page.
-- Returns nothing if there is no chat log; else the newest id, the oldest id, and the page as JSON, an id and its fields per entry;
-- or 'unreadable' with what is wrong with the stored data. (The host takes one string for much less than many.)
local found = redis.pcall('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if found.err then return { 'unreadable', found.err } end
if not found[1] then return {} end

local newest = found[1][1]
local epoch, last = parse_id(newest)
local order, cursor, count, before = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most_bytes = tonumber(ARGV[5])

local function id(index)
  return format_id(epoch, index)
end

-- If no entry is missing, the oldest is known without reading it.
local oldest = id(0)
if redis.call('XLEN', KEYS[1]) <= last then oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1] end

local top = last
if before then top = math.min(top, before - 1) end

-- Reads in steps that keep no other client of Redis waiting.
local STEP = 100
local page, bytes = {}, 0

local function read(command, from, to)
  while #page < count do
    local asked = math.min(count - #page, STEP)
    local some = redis.call(command, KEYS[1], from, to, 'COUNT', asked)
    for _, entry in ipairs(some) do
      if bytes >= most_bytes then return end
      page[#page + 1] = entry
      bytes = bytes + #(entry[2][6] or '')
    end
    if #some < asked then return end
    from = '(' .. page[#page][1]
  end
end

if order == 'forward' then
  if cursor <= top then read('XRANGE', id(cursor), id(top)) end
elseif cursor <= top then
  read('XREVRANGE', id(top - cursor), id(0))
end
return { newest, oldest, page[1] and cjson.encode(page) or '[]' }
