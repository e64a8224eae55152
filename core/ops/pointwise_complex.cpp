#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl {
static const Family family(&RegisterList<pointwise::ComplexOps, &cpu::complex_loops, &cpu::complex_of_complex>::run);
}
