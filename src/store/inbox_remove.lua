-- Removes chats from an inbox, each only if it is still at its time: a message that has come meanwhile has put it at another.
-- KEYS: the inbox. ARGV: each chat and its time.
local inbox = KEYS[1]
for at = 1, #ARGV, 2 do
  local chat, time = ARGV[at], tonumber(ARGV[at + 1])
  if tonumber(redis.call('ZSCORE', inbox, chat) or '') == time then redis.call('ZREM', inbox, chat) end
end
return {}
