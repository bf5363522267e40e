-- The requests of one workload, for wrk: wrk --script load.lua URL -- KIND CHATS QUERY RUN [TOKEN]
-- KIND is one of the functions of `kinds`; CHATS is how many chats the requests are spread over; QUERY goes to the end of a pull's,
-- and is the whole path of the floor's; RUN tells this run's chats and keys from those of others; a send has TOKEN as its bearer token.
local threads = 0

function setup(thread)
  thread:set('thread', threads)
  threads = threads + 1
end

local kinds, kind, chats, query, run = {}, nil, 1, '', ''
local headers = {}
local count = 0
local text = string.rep('x', 60)

function init(arguments)
  kind, chats, query, run = kinds[arguments[1]], tonumber(arguments[2]), arguments[3], arguments[4]
  if arguments[5] and arguments[5] ~= '' then headers['Authorization'] = 'Bearer ' .. arguments[5] end
  math.randomseed(os.time() + thread)
end

local function chat()
  return 'bench-' .. run .. '-' .. math.random(chats) .. ':b'
end

local function body()
  return '{"chat":"' .. chat() .. '","text":"' .. text .. '","sender":"b"}'
end

-- What the floor answers; QUERY is the path.
function kinds.get()
  return wrk.format('GET', query)
end

function kinds.post()
  return wrk.format('POST', query, {}, body())
end

function kinds.send()
  return wrk.format('POST', '/api/send', headers, body())
end

function kinds.keyed()
  local key = os.time() .. '-' .. thread .. '-' .. count
  return wrk.format('POST', '/api/send', { ['Idempotency-Key'] = '"' .. key .. '"' }, body())
end

function kinds.pull()
  return wrk.format('GET', '/api/pull?chat=' .. chat() .. query)
end

-- A mark that rises with each request of a thread: of two threads, one is ahead.
function kinds.read()
  return wrk.format('POST', '/api/read', {}, '{"chat":"' .. chat() .. '","name":"b","index":' .. count .. '}')
end

-- One send to five pulls.
function kinds.mix()
  return count % 6 == 0 and kinds.send() or kinds.pull()
end

function request()
  count = count + 1
  return kind()
end

function done(summary, latency)
  local errors = 0
  for _, number in pairs(summary.errors) do errors = errors + number end
  io.write(string.format('{"requests":%d,"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"max_ms":%.2f,"errors":%d}\n', summary.requests,
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, errors))
end
