#include "graph/recorder.h"

namespace rl {
namespace { thread_local Recorder* active = nullptr; }

Recorder::Recorder() {
  check(active == nullptr, "a recording is already in progress on this thread: finish it first");
  active = this;
  call_observer = &Recorder::observe;
}

Recorder::~Recorder() {
  active = nullptr;
  call_observer = nullptr;
}

RecordedValue Recorder::describe(const Tensor& t) const {
  auto found = made_by_.find(t.get());
  RecordedValue v{-1, 0, Dims(t.sizes()), t.dtype()};
  if (found != made_by_.end()) std::tie(v.producer, v.output) = found->second;
  return v;
}

void Recorder::observe(const OpDef& def, const Value* args, const Result& result) {
  Recorder& self = *active;
  RecordedOp op{&def, {}, {}};
  for (size_t i = 0; i < def.params.size(); ++i) {
    if (args[i].tag == Tag::Tensor) op.inputs.push_back(self.describe(Tensor(args[i].tensor)));
    if (args[i].tag == Tag::TensorList)
      for (const Tensor& t : *args[i].tensors)
        if (t.defined()) op.inputs.push_back(self.describe(t));
  }
  int index = static_cast<int>(self.ops_.size());
  auto made = [&](const Tensor& t, int output) {
    if (!t.defined()) return;
    self.made_by_[t.get()] = {index, output};
    self.keep_alive_.push_back(t);
    op.outputs.push_back(RecordedValue{index, output, Dims(t.sizes()), t.dtype()});
  };
  made(result.tensor, 0);
  for (size_t i = 0; i < result.tensors.size(); ++i) made(result.tensors[i], static_cast<int>(i));
  self.ops_.push_back(std::move(op));
}

}  // namespace rl
