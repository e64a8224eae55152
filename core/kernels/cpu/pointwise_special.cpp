#include "kernels/cpu/pointwise_instances.h"
#include "kernels/pointwise_tables.h"

namespace rl::cpu::RL_ISA { extern const SpecialLoops special_loops_table = Instances<pointwise::SpecialOps>::loops; }
