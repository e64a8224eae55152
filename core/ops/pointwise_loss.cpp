#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl { static const Family family(&RegisterList<pointwise::LossOps, &cpu::loss_loops>::run); }
