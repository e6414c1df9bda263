// Events and effects as the host keeps them: what crosses the ABI (sdk/include/botel/abi.h), with memory of their own.
#pragma once

#include <botel/abi.h>

#include "store/records.hpp"

namespace botel::runtime {

// Of an event the runtime sets what is not the protocol's to say: id, sequence, time, seed.
using store::Effect;
using store::Event;

}  // namespace botel::runtime
