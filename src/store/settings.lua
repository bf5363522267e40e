-- Sets something for a chat. KEYS: the chat log, the chat's settings, and the feed of the member whose side it is (in a Cluster, and for what is
-- nobody's side, there is none). ARGV: the member, as keys have it ('' for nobody); '1' if a chat that has nothing yet takes no
-- settings; then the fields of the settings to write, each with '1' or '0'.
-- Returns 'set', and for the member's `blocked` and `muted` and for `open` '1' if they are set; or 'empty' if the chat takes no settings; or
-- 'unreadable' with what is wrong with the stored data; or an error of Redis: then nothing is changed.
-- What is set again is written again: replicas may lack what an earlier try wrote, and WAIT waits for the connection's last write.
local log, settings, feed = KEYS[1], KEYS[2], KEYS[3]
local member = ARGV[1]
if ARGV[2] == '1' and redis.call('EXISTS', log, settings) == 0 then return { 'empty' } end

local fields = { 'blocked:' .. member, 'muted:' .. member, 'open' }
local stored = redis.pcall('HMGET', settings, unpack(fields))
if stored.err then return { 'unreadable', settings .. ': ' .. stored.err } end
for at, field in ipairs(fields) do
  for i = 3, #ARGV, 2 do
    if ARGV[i] == field then stored[at] = ARGV[i + 1] end
  end
end
if feed then ring(feed, tag_of(log, 'log')) end
redis.call('HSET', settings, unpack(ARGV, 3))
return { 'set', stored[1] or '', stored[2] or '', stored[3] or '' }
