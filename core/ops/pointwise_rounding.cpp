#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl {
static const Family family(&RegisterList<pointwise::RoundingOps, &cpu::rounding_loops, &cpu::rounding_of_complex>::run);
}
