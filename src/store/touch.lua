-- A person's part of what happens in a chat: the inbox and the feed. Stands in front of the scripts that need it.

-- What stands between the braces of the key `confab:{...}:<what>`: a chat, or a member's name.
local function tag_of(key, what)
  return string.sub(key, #'confab:{' + 1, -#'}:' - #what - 1)
end

local function is_refusal(reply)
  return type(reply) == 'table' and reply.err ~= nil
end

-- Makes those who follow the person's inbox look at the chat. Nothing is written while nobody follows. 64 changes are more than a
-- follower leaves unread, and a follower that does find its place gone reads the inbox whole.
local function ring(feed, chat)
  return redis.call('XADD', feed, 'NOMKSTREAM', 'MAXLEN', 64, '*', 'chat', chat)
end

-- Puts a chat at the time of its newest message. The time only grows (a touch that is late must not set it back), unless the chat log
-- begins with that message: begun anew after a clock was set back, it must not keep the old log's time.
local function rank(inbox, chat, time, begins)
  if begins then return redis.call('ZADD', inbox, time, chat) end
  return redis.call('ZADD', inbox, 'GT', time, chat)
end
