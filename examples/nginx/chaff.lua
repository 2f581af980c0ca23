-- SPDX-License-Identifier: MIT
-- Stands between clients and servers of the Open Inference Protocol (KServe v2, REST), and defends what they answer.
--
-- No bytes of a model server's response are passed on. Each response is read whole and parsed; what the client gets is
-- written anew from the settings, the request, and values that were checked.
local cjson_new = require("cjson").new
local ffi = require("ffi")
local new_table = require("table.new")

ffi.cdef [[
typedef struct chaff_defense chaff_defense;
int chaff_defense_create(const char* defense, const char* policy, chaff_defense** created);
int chaff_apply_f32(const chaff_defense* defense, const float* logits, size_t rows, size_t classes, float* output);
int chaff_apply_f64(const chaff_defense* defense, const double* logits, size_t rows, size_t classes, double* output);
const char* chaff_last_error(void);
const char* chaff_version(void);
]]

local M = {}
local chaff, settings
local upstream = "/chaff_upstream"

local json = cjson_new()
json.decode_invalid_numbers(false)  -- refuses NaN, Infinity and hexadecimal numbers
json.decode_max_depth(8)

-- What a tensor's numbers are read into, and how they are written: with as many digits as bring the same number back.
local number_types = {
  FP32 = { array = "float[?]", format = "%.9g", apply = "chaff_apply_f32" },
  FP64 = { array = "double[?]", format = "%.17g", apply = "chaff_apply_f64" },
}
local integer_ranges = {
  INT8 = { -0x80, 0x7f }, INT16 = { -0x8000, 0x7fff }, INT32 = { -0x80000000, 0x7fffffff },
  UINT8 = { 0, 0xff }, UINT16 = { 0, 0xffff }, UINT32 = { 0, 0xffffffff },
  INT64 = { -2 ^ 53, 2 ^ 53 }, UINT64 = { 0, 2 ^ 53 },  -- what a double holds exactly
}

-- The words of every error. None depends on what a model server sent.
local words = {
  [400] = "the request cannot be read",
  [404] = "there is nothing here",
  [405] = "this method is not allowed here",
  [408] = "the request did not come whole and in time",
  [411] = "send a Content-Length",
  [412] = "the request's precondition cannot be met",
  [413] = "the request is too large",
  [414] = "the request's target is too long",
  [415] = "send JSON as it is: no binary tensors, not compressed",
  [429] = "too many requests",
  [431] = "the request's head is too large",
  [500] = "the gateway failed",
  [502] = "the model server's response cannot be used",
  [503] = "the model server is not ready",
  [504] = "the model server did not respond in time",
}

-- What a client gets for a model server's status; any other one is a 502.
local passed_statuses = { [400] = 400, [404] = 404, [503] = 503, [504] = 504 }

local function respond(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = #body
  ngx.print(body)
  return ngx.exit(ngx.HTTP_OK)
end

local function refuse(status)
  if not words[status] then status = status < 500 and 400 or 500 end
  return respond(status, '{"error":"' .. words[status] .. '"}\n')
end

-- Fields by which a client could make nginx change a response.
local ignored_fields = { "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range" }

local function is_name(text)
  return type(text) == "string" and #text <= 128 and text:find("^[%w_][%w_.-]*$") ~= nil
end

--- Checks the settings and prepares the defenses; call it in init_by_lua, so that nginx does not start if one is wrong.
-- library             libchaff.so, with its path
-- models              by name; for each: output (its name), classes, defense, and optionally policy (texts of
--                     chaff/c.h), rename (the output's name for clients), keep (names of other outputs to let through)
-- max_response_bytes  of a model server; 8 MiB unless given
-- max_response_seconds  for a model server's response; 30 unless given
-- max_rows            in one response; 1024 unless given
function M.start(chosen)
  chaff = ffi.load(chosen.library)
  settings = {
    max_bytes = chosen.max_response_bytes or 8 * 1024 * 1024,
    max_seconds = chosen.max_response_seconds or 30,
    max_rows = chosen.max_rows or 1024,
    models = {},
  }
  local allowed = { output = true, classes = true, defense = true, policy = true, rename = true, keep = true }
  for name, model in pairs(chosen.models) do
    assert(is_name(name), "chaff: a model's name has letters, digits, _ . - and starts with no dot")
    for key in pairs(model) do assert(allowed[key], "chaff: model " .. name .. " has an unknown setting: " .. key) end
    assert(type(model.output) == "string", "chaff: model " .. name .. " needs output, the name of its logits")
    assert(type(model.classes) == "number" and model.classes >= 1 and model.classes % 1 == 0,
           "chaff: model " .. name .. " needs classes, their number")
    assert(type(model.defense) == "string", "chaff: model " .. name .. " needs a defense")
    local created = ffi.new("chaff_defense*[1]")
    if chaff.chaff_defense_create(model.defense, model.policy, created) ~= 0 then
      error("chaff: model " .. name .. ": " .. ffi.string(chaff.chaff_last_error()), 0)
    end
    local shown = model.rename or model.output
    local kept = {}
    for _, output in ipairs(model.keep or {}) do
      assert(output ~= model.output and output ~= shown,
             "chaff: model " .. name .. " keeps " .. output .. ", the name of its defended output")
      kept[output] = true
    end
    settings.models[name] = { output = model.output, classes = model.classes, defense = created[0], shown = shown,
                              kept = kept }
  end
end

-- Why a response cannot be used; the words are for tests of this file and the operator's log.
local function fail(why) error({ why = why }) end

-- The rows and the number of values of a shape of nonnegative integers.
local function values_of(shape, max_rank)
  if type(shape) ~= "table" or #shape < 1 or #shape > max_rank then fail("shape") end
  local product = 1
  for i = 1, #shape do
    local size = shape[i]
    if type(size) ~= "number" or size < 0 or size % 1 ~= 0 or size > 2 ^ 31 then fail("shape") end
    product = product * size
    if product > 2 ^ 31 then fail("shape") end
  end
  return product
end

-- The numbers of a flat list, as an array of the tensor's type.
local function numbers_of(data, count, numbers)
  if type(data) ~= "table" or #data ~= count then fail("data length") end
  local values = ffi.new(numbers.array, count)
  for i = 1, count do
    local value = data[i]
    if type(value) ~= "number" then fail("data type") end
    values[i - 1] = value
    -- x - x is not 0 for infinities and NaN; a number may also be too large for FP32
    if values[i - 1] - values[i - 1] ~= 0 then fail("data range") end
  end
  return values
end

local function text_of(values, count, format)
  local parts = new_table(count, 0)
  for i = 1, count do
    local value = tonumber(values[i - 1])
    if value - value ~= 0 then fail("output range") end
    parts[i] = format:format(value)
  end
  return table.concat(parts, ",")
end

local function tensor(name, datatype, shape, data)
  return '{"name":' .. json.encode(name) .. ',"datatype":"' .. datatype .. '","shape":['
         .. table.concat(shape, ",") .. '],"data":[' .. data .. "]}"
end

-- The named output: logits in, defended probabilities out.
local function defended(output, model)
  local numbers = number_types[output.datatype]
  if not numbers then fail("datatype") end
  local count = values_of(output.shape, 2)
  local rows = #output.shape == 2 and output.shape[1] or 1
  if output.shape[#output.shape] ~= model.classes or rows < 1 or rows > settings.max_rows then fail("shape") end
  local values = numbers_of(output.data, count, numbers)
  -- not in place: what is written to the client never held logits
  local probabilities = ffi.new(numbers.array, count)
  if chaff[numbers.apply](model.defense, values, rows, model.classes, probabilities) ~= 0 then fail("row") end
  return tensor(model.shown, output.datatype, output.shape, text_of(probabilities, count, numbers.format))
end

-- Another output that the settings keep.
local function kept(output)
  local datatype, data = output.datatype, output.data
  local count = values_of(output.shape, 8)
  local numbers, range = number_types[datatype], integer_ranges[datatype]
  if numbers then
    return tensor(output.name, datatype, output.shape, text_of(numbers_of(data, count, numbers), count, numbers.format))
  end
  if type(data) ~= "table" or #data ~= count then fail("data length") end
  local parts = {}
  for i = 1, count do
    local value = data[i]
    if range and type(value) == "number" and value % 1 == 0 and value >= range[1] and value <= range[2] then
      parts[i] = ("%.0f"):format(value)
    elseif datatype == "BOOL" and type(value) == "boolean" then
      parts[i] = tostring(value)
    elseif datatype == "BYTES" and type(value) == "string" then
      parts[i] = json.encode(value)
    else
      fail("data type")
    end
  end
  return tensor(output.name, datatype, output.shape, table.concat(parts, ","))
end

-- The body for the client. An id is passed on only if the client sent it.
local function answer(response, model, request_body, name, version)
  if type(response) ~= "table" or type(response.outputs) ~= "table" then fail("outputs") end
  local parts, known = {}, {}
  for _, output in ipairs(response.outputs) do
    if type(output) ~= "table" or type(output.name) ~= "string" then fail("output") end
    local is_defended = output.name == model.output
    if is_defended or model.kept[output.name] then
      if known[output.name] then fail("two outputs of one name") end
      known[output.name] = true
      parts[#parts + 1] = is_defended and defended(output, model) or kept(output)
    end
  end
  if not known[model.output] then fail("no output of this name") end
  local head = '{"model_name":"' .. name .. '"'
  if version then head = head .. ',"model_version":"' .. version .. '"' end
  local id = response.id
  if type(id) == "string" and #id <= 128 and id:find("^[%w_.:-]+$") and request_body:find('"' .. id .. '"', 1, true) then
    head = head .. ',"id":"' .. id .. '"'
  end
  return head .. ',"outputs":[' .. table.concat(parts, ",") .. "]}\n"
end

-- Fetches a response through the internal location. Refuses all but whole, plain JSON of status 200.
local function fetch(path, method)
  local state = { bytes = 0, start = ngx.now() }
  local response = ngx.location.capture(upstream .. path, { method = method, ctx = state,
                                                            always_forward_body = method == ngx.HTTP_POST })
  if response.status ~= 200 then return nil, passed_statuses[response.status] or 502 end
  if state.is_refused or response.truncated then return nil, 502 end
  return response
end

local function parse(response)
  local content_type
  for name, value in pairs(response.header) do
    name = name:lower()
    if name == "content-encoding" or name == "inference-header-content-length" or name == "content-range" then
      fail("encoding")
    end
    if name == "content-type" then content_type = value end
  end
  if type(content_type) ~= "string" or not (content_type .. ";"):lower():find("^application/json%s*;") then fail("type") end
  local is_parsed, parsed = pcall(json.decode, response.body)
  if not is_parsed then fail("JSON") end
  return parsed
end

-- Runs a function that may fail, and answers with what it returns.
local function respond_by(build, ...)
  local is_built, body = pcall(build, ...)
  if is_built then return respond(200, body) end
  -- an error without a reason is a fault of this file; its text names a line and no value
  ngx.log(ngx.WARN, "chaff: response refused: ", type(body) == "table" and body.why or "internal error")
  return refuse(502)
end

local function is_plain_request(method)
  if ngx.req.get_method() ~= method then return false, 405 end
  if ngx.var.http_upgrade then return false, 400 end
  if ngx.var.http_content_encoding or ngx.var.http_inference_header_content_length then return false, 415 end
  return true
end

local function infer(name, version, path)
  local model = settings.models[name]
  if not model then return refuse(404) end
  local is_plain, status = is_plain_request("POST")
  if not is_plain then return refuse(status) end
  ngx.req.read_body()
  local request_body = ngx.req.get_body_data()
  if not request_body then return refuse(400) end
  local response
  response, status = fetch(path, ngx.HTTP_POST)
  if not response then return refuse(status) end
  return respond_by(function() return answer(parse(response), model, request_body, name, version) end)
end

-- A model's metadata: names, types and shapes of its inputs, and of the outputs that clients get.
local function described(list, shown)
  if type(list) ~= "table" then fail("metadata") end
  local parts = {}
  for _, each in ipairs(list) do
    if type(each) ~= "table" or type(each.name) ~= "string" or #each.name > 128 then fail("metadata") end
    local name = shown(each.name)
    if name then
      if type(each.datatype) ~= "string" or not each.datatype:find("^%u[%u%d]*$") or #each.datatype > 8
         or type(each.shape) ~= "table" or #each.shape > 8 then fail("metadata") end
      for i = 1, #each.shape do
        local size = each.shape[i]
        if type(size) ~= "number" or size % 1 ~= 0 or size < -1 or size > 2 ^ 31 then fail("metadata") end
      end
      parts[#parts + 1] = '{"name":' .. json.encode(name) .. ',"datatype":"' .. each.datatype .. '","shape":['
                          .. table.concat(each.shape, ",") .. "]}"
    end
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function metadata(name, model, response)
  if type(response) ~= "table" then fail("metadata") end
  local function shown(output) return output == model.output and model.shown or model.kept[output] and output or nil end
  return '{"name":"' .. name .. '","platform":"chaff","inputs":'
         .. described(response.inputs, function(input) return input end) .. ',"outputs":'
         .. described(response.outputs, shown) .. "}\n"
end

local function describe(name, path)
  local model = settings.models[name]
  local response, status = fetch(path, ngx.HTTP_GET)
  if not response then return refuse(status) end
  return respond_by(function() return metadata(name, model, parse(response)) end)
end

-- Whether the model server says that it, or a model, is ready. Nothing of its words is passed on.
local function ready(path)
  local response = fetch(path, ngx.HTTP_GET)
  if not response then return refuse(503) end
  return respond(200, '{"ready":true}\n')
end

--- content_by_lua: every request. A route that is not known here is refused.
function M.serve()
  for _, name in ipairs(ignored_fields) do ngx.req.clear_header(name) end
  local path = ngx.var.uri
  local name, version = path:match("^/v2/models/([^/]+)/infer$"), nil
  if not name then name, version = path:match("^/v2/models/([^/]+)/versions/(%d+)/infer$") end
  if name and (not version or #version < 10) then return infer(name, version, path) end

  local is_get, status = is_plain_request("GET")
  if path == "/v2" or path == "/v2/" then
    if not is_get then return refuse(status) end
    local number = ffi.string(chaff.chaff_version()):match("^[%d.]+")
    return respond(200, '{"name":"chaff","version":"' .. number .. '","extensions":[]}\n')
  end
  name, version = path:match("^/v2/models/([^/]+)$"), nil
  if not name then name, version = path:match("^/v2/models/([^/]+)/versions/(%d+)$") end
  if name and settings.models[name] and (not version or #version < 10) then
    if not is_get then return refuse(status) end
    return describe(name, path)
  end
  name, version = path:match("^/v2/models/([^/]+)/ready$"), nil
  if not name then name, version = path:match("^/v2/models/([^/]+)/versions/(%d+)/ready$") end
  if path == "/v2/health/live" or path == "/v2/health/ready"
     or (name and settings.models[name] and (not version or #version < 10)) then
    if not is_get then return refuse(status) end
    return ready(path)
  end
  return refuse(404)
end

--- body_filter_by_lua of the internal location: bounds the size of what is kept, and the time that it takes.
-- A response that is too large is read to its end and discarded, so that the client gets a 502. One that is too large by
-- far, or takes too long, ends both connections, since there is no other way to stop a capture.
function M.bound()
  local state = ngx.ctx
  state.bytes = state.bytes + #ngx.arg[1]
  if state.bytes > settings.max_bytes then
    state.is_refused = true
    ngx.arg[1] = nil
  end
  if state.bytes > 8 * settings.max_bytes or ngx.now() - state.start > settings.max_seconds then return ngx.ERROR end
end

--- content_by_lua of the location for nginx's own errors.
function M.refuse() return refuse(ngx.status) end

return M
