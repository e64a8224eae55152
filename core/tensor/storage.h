// The bytes behind a tensor. Views share a storage and its version counter. A small storage keeps its bytes right behind
// its own header, so a small result costs one allocation for both.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/ref.h"

namespace rl {

class Storage {
 public:
  using Deleter = void (*)(void* context);

  static Ref<Storage> allocate(size_t bytes);
  // Wraps memory that someone else owns (a NumPy array, a DLPack capsule); deleter(context) gives it back.
  static Ref<Storage> external(void* data, size_t bytes, Deleter deleter, void* context);

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  bool resizable() const { return deleter_ == nullptr && lends_ == 0; }
  // While others (an array that shares the memory) hold its address, it stays where it is.
  void lend() { ++lends_; }
  void take_back() { --lends_; }
  void resize(size_t bytes);  // keeps the old contents; tensors must refresh their data pointers
  // Moves the contents into memory that someone else owns, at least as large (shared memory); all views come along.
  void move_to(void* data, Deleter deleter, void* context);
  // Who gives the memory back (none: the allocator), and what that is called with.
  Deleter deleter() const { return deleter_; }
  void* context() const { return context_; }

  void retain() { ++refs_; }
  void release() {
    if (--refs_ == 0) destroy();
  }
  int64_t use_count() const { return refs_; }

  uint32_t version = 0;
  bool read_only = false;
  const char* changed_by = nullptr;  // the last in-place op, for error messages

 private:
  Storage() = default;
  void destroy();
  bool is_inline() const;

  uint32_t refs_ = 0;
  uint16_t inline_bytes_ = 0;  // room right behind this header (a resize leaves it unused), 0 if there is none
  uint32_t lends_ = 0;
  size_t bytes_ = 0;
  void* data_ = nullptr;
  Deleter deleter_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace rl
