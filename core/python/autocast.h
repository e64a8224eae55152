// Mixed precision: inside torch.autocast, the tensors of some ops are cast before the op is called. Off, it costs the
// op-call path one test of a flag.
#pragma once

#include "python/python.h"

namespace rl::py {

inline thread_local constinit bool autocast_on = false;

// Replaces the tensors among `args` that the op wants in another dtype; the casts live in `held` and `lists`.
class Autocast {
 public:
  void apply(const OpDef& def, Value* args);

 private:
  SmallVector<Tensor, 6> held_;
  std::vector<std::unique_ptr<TensorList>> lists_;
};

int add_autocast(PyObject* module);

}  // namespace rl::py
