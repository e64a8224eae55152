#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl {
static const Family family(
    &RegisterList<pointwise::ExponentialOps, &cpu::exponential_loops, &cpu::exponential_of_complex>::run);
}
