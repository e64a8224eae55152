#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl {
static const Family family(&RegisterList<pointwise::CompareOps, &cpu::compare_loops, &cpu::compare_of_complex>::run);
}
