// Payloads of requests that are refused as a whole, as they are no JSON, or too large: whom to tell. They are not read,
// only searched, so that nothing in them can do harm.
#pragma once

#include <string>
#include <string_view>

#include "gitple/request.hpp"

namespace botel::gitple {

// Each request in `payload` whose `params.resPub` can be found and is allowed, with its `id` where that can be found,
// too, and refused with `refusal`. Of a batch that is too large: one for each resPub, with a null id.
[[nodiscard]] Requests refuse_all(const Source& source, std::string_view payload, const Refusal& refusal);

// What refuse_all() needs of a payload that is too large to be kept; little, whatever the payload. Empty: nothing.
[[nodiscard]] std::string outline(std::string_view topic, std::string_view payload);

}  // namespace botel::gitple
