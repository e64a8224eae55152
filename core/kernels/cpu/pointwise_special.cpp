#include "kernels/cpu/pointwise_instances.h"
#include "kernels/pointwise_special_table.h"

namespace rl::cpu::RL_ISA {
extern const SpecialLoops special_loops_table = Instances<pointwise::SpecialOps>::loops;
}
