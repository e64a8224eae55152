#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl {
static const Family family(&RegisterList<pointwise::TrigOps, &cpu::trig_loops, &cpu::trig_of_complex>::run);
}
