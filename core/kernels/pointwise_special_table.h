// The loops of the special functions: apart from the other lists, because few files need them and they are slow to compile.
#pragma once

#include <array>

#include "kernels/pointwise/special.h"
#include "kernels/pointwise_loops.h"

namespace rl::cpu {

using SpecialLoops = std::array<PointwiseLoops, pointwise::SpecialOps::size>;
RL_ISA_TABLE(SpecialLoops, special_loops)

}  // namespace rl::cpu
