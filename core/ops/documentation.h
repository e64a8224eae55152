// What is written about an op, together with what its record says by itself.
#pragma once

#include <string>

#include "ops/registry.h"

namespace rl {

// The op's text, then the shapes, dtypes, gradients and errors that follow from a pointwise record, then the examples.
std::string documentation(const OpDef& def);

}  // namespace rl
