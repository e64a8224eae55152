// Tensors of the device "meta" have shapes and no data. Within a MetaScope new storages reserve addresses and take no
// memory, loops over data that would be shared among threads do not run, and random numbers are not drawn: what is left
// of an operation is its checks, its shapes and its history.
#pragma once

namespace rl {

namespace detail {
inline constinit bool meta_used = false;  // until something asks for them, nobody looks at the thread's own mode
inline thread_local constinit bool meta_mode = false;
}  // namespace detail

inline bool in_meta_scope() { return detail::meta_used && detail::meta_mode; }

class MetaScope {
 public:
  explicit MetaScope(bool on) : outer_(detail::meta_mode) {
    detail::meta_used |= on;
    detail::meta_mode = on;
  }
  ~MetaScope() { detail::meta_mode = outer_; }
  MetaScope(const MetaScope&) = delete;
  MetaScope& operator=(const MetaScope&) = delete;

 private:
  bool outer_;
};

}  // namespace rl
