// Lists the ops that run while it is on: name, shapes, dtypes, and which result feeds which argument. The seed of the
// one graph that jit, compile and export will share. Off, it costs the op-call path one test of a pointer.
#pragma once

#include <unordered_map>
#include <vector>

#include "ops/registry.h"

namespace rl {

struct RecordedValue {
  int producer = -1;  // index of the recorded op whose result this is, -1 for a tensor from outside
  int output = 0;
  Dims sizes;
  DType dtype = DType::F32;
};

struct RecordedOp {
  const OpDef* def;
  std::vector<RecordedValue> inputs, outputs;
};

// One recording at a time per thread; starting a second one is an error.
class Recorder {
 public:
  Recorder();
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  const std::vector<RecordedOp>& ops() const { return ops_; }

 private:
  static void observe(const OpDef& def, const Value* args, const Result& result);
  RecordedValue describe(const Tensor& t) const;

  std::vector<RecordedOp> ops_;
  std::unordered_map<const TensorImpl*, std::pair<int, int>> made_by_;
  std::vector<Tensor> keep_alive_;  // addresses identify tensors only while they live
};

}  // namespace rl
