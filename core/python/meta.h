// The device of a call: whether an operation that Python asked for computes, or only finds shapes (device "meta").
#pragma once

#include <utility>

#include "python/python.h"
#include "tensor/meta.h"

namespace rl::py {

// A device that was asked for by name: the CPU or "meta"; the error for the others says what there is.
Device existing_device(PyObject* o);

// Where tensors are made that nobody chose a device for (`with torch.device("meta"):`).
extern thread_local Device default_device;
PyObject* set_default_device(PyObject*, PyObject* device);
PyObject* get_default_device(PyObject*, PyObject*);

// Held for the time of a call of an operation. Until something is on "meta" it does nothing.
class CallScope {
 public:
  CallScope(const OpDef& def, const Value* args) {
    if (detail::meta_used) [[unlikely]]
      enter(on_meta(def, args));
  }
  // A call that is no operation's.
  explicit CallScope(bool meta) {
    if (detail::meta_used) [[unlikely]]
      enter(meta);
  }
  ~CallScope() {
    if (entered_) [[unlikely]]
      detail::meta_mode = outer_;
  }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  static bool on_meta(const OpDef& def, const Value* args);
  void enter(bool meta) {
    entered_ = true;
    outer_ = std::exchange(detail::meta_mode, meta);
  }
  bool entered_ = false, outer_ = false;
};

// What conversions to Python's own values and to arrays ask first.
inline void check_has_data(const Tensor& t) {
  if (is_meta(t)) [[unlikely]]
    fail_without_data();
}

}  // namespace rl::py
