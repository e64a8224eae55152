#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl {
static const Family family(
    &RegisterList<pointwise::ArithmeticOps, &cpu::arithmetic_loops, &cpu::arithmetic_of_complex>::run);
}
