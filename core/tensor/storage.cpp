#include "tensor/storage.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "tensor/allocator.h"
#include "tensor/meta.h"

namespace rl {
namespace {
constexpr size_t kHeader = 64;
constexpr size_t kInlineLimit = 960;
static_assert(sizeof(Storage) <= kHeader);
}  // namespace

Ref<Storage> Storage::allocate(size_t bytes) {
  if (in_meta_scope()) [[unlikely]]
    return allocate_meta(bytes);
  bool small = bytes <= kInlineLimit;
  // The data allocation comes first: if it throws, nothing is left behind.
  void* data = small ? nullptr : rl::allocate(bytes);
  size_t room = small ? std::max<size_t>(bytes, 1) : 0;
  void* header = rl::allocate(kHeader + room);
  Storage* s = new (header) Storage;
  s->inline_bytes_ = static_cast<uint16_t>(room);
  s->bytes_ = bytes;
  s->data_ = small ? static_cast<char*>(header) + kHeader : data;
  return Ref<Storage>(s);
}

Ref<Storage> Storage::external(void* data, size_t bytes, Deleter deleter, void* context) {
  Storage* s = new (rl::allocate(kHeader)) Storage;
  s->bytes_ = bytes;
  s->data_ = data;
  s->deleter_ = deleter;
  s->context_ = context;
  return Ref<Storage>(s);
}

// The address alone does not tell: another block may lie right behind a header without room.
bool Storage::is_inline() const { return inline_bytes_ != 0 && data_ == reinterpret_cast<const char*>(this) + kHeader; }

void Storage::resize(size_t bytes) {
  void* fresh = rl::allocate(bytes);
  std::memcpy(fresh, data_, bytes < bytes_ ? bytes : bytes_);
  if (!is_inline()) deallocate(data_, bytes_);
  data_ = fresh;
  bytes_ = bytes;
}

void Storage::move_to(void* data, Deleter deleter, void* context) {
  if (bytes_) std::memcpy(data, data_, bytes_);
  if (deleter_) {
    deleter_(context_);
  } else if (!is_inline() && lends_ == 0) {  // what others still read is left to them, for good
    deallocate(data_, bytes_);
  }
  data_ = data;
  deleter_ = deleter;
  context_ = context;
  read_only = false;
}

void Storage::destroy() {
  size_t header = kHeader + inline_bytes_;
  if (deleter_) {
    deleter_(context_);
  } else if (!is_inline()) {
    deallocate(data_, bytes_);
  }
  this->~Storage();
  deallocate(this, header);
}

}  // namespace rl
