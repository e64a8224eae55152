#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl { static const Family family(&RegisterList<pointwise::SpecialOps, &cpu::special_loops>::run); }
