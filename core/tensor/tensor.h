// Tensor: a reference to a TensorImpl, which is a storage seen through sizes, strides and an offset.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/error.h"
#include "tensor/dtype.h"
#include "tensor/ref.h"
#include "tensor/scalar.h"
#include "tensor/small_vector.h"
#include "tensor/storage.h"

namespace rl {

enum class DeviceType : uint8_t { CPU, CUDA, Meta, MPS, XPU };
struct Device {
  DeviceType type = DeviceType::CPU;
  int8_t index = -1;
  bool operator==(const Device&) const = default;
  std::string str() const;
  static Device parse(const std::string& text);  // "cpu", "cuda:0", ...; a RuntimeError names what was expected
};

enum class MemoryFormat : uint8_t { Contiguous, Preserve, ChannelsLast, ChannelsLast3d };

// What autograd keeps per tensor; autograd/ defines it (autograd/node.h).
class AutogradMetaBase {
 public:
  virtual ~AutogradMetaBase() = default;
};

// How a view came to be, which decides whether it may be changed in place while gradients are recorded.
enum class ViewKind : uint8_t { Plain, NoGrad, MultiOutput, Inference, CustomFunction };

class TensorImpl {
 public:
  static constexpr int kInlineDims = 5;

  static Ref<TensorImpl> make(Ref<Storage> storage, int64_t offset, IntSpan sizes, IntSpan strides, DType dtype);
  // Contiguous, uninitialised.
  static Ref<TensorImpl> make_contiguous(IntSpan sizes, DType dtype);

  DType dtype() const { return dtype_; }
  Device device() const { return device_; }
  int64_t dim() const { return dim_; }
  int64_t numel() const { return numel_; }
  IntSpan sizes() const { return {sizes_, dim_}; }
  IntSpan strides() const { return {sizes_ + dim_, dim_}; }
  int64_t offset() const { return offset_; }
  bool is_contiguous() const { return contiguous_; }
  void* data() const { return static_cast<char*>(storage_->data()) + offset_ * item_size(dtype_); }
  Storage& storage() const { return *storage_; }
  const Ref<Storage>& storage_ref() const { return storage_; }

  // Re-aims this tensor (set_(), resize_(), .data = ...). Identity, autograd state and Python object stay.
  void set(Ref<Storage> storage, int64_t offset, IntSpan sizes, IntSpan strides, DType dtype);

  uint32_t version() const { return own_version_ ? *own_version_ : storage_->version; }
  void bump_version() { ++(own_version_ ? *own_version_ : storage_->version); }
  // `.data` shares the bytes but not the version counter.
  void detach_version();
  void share_version(const TensorImpl& o) { own_version_ = o.own_version_; }

  void retain() { ++refs_; }
  void release() {
    if (--refs_ == 0) destroy();
  }
  uint32_t use_count() const { return refs_; }

  std::unique_ptr<AutogradMetaBase> autograd;
  bool requires_grad = false;   // a leaf that wants a gradient, or a result with a grad_fn
  bool wrapped_number = false;  // made from a Python number: weak in type promotion
  bool inference = false;
  ViewKind view_kind = ViewKind::Plain;
  uint32_t view_version = 0;  // for a view: the version when its history was made
  bool owns_pyobj = false;
  void* pyobj = nullptr;  // the Python object, if there is one; borrowed unless owns_pyobj
  Ref<TensorImpl> base;   // for a view: the tensor it (and all views of it) looks into

  static void (*drop_pyobj)(void* pyobj);  // set by the binding

 private:
  TensorImpl() = default;
  ~TensorImpl();
  void destroy();
  void set_geometry(IntSpan sizes, IntSpan strides);

  uint32_t refs_ = 0;
  DType dtype_ = DType::F32;
  Device device_;
  bool contiguous_ = true;
  uint8_t dim_ = 0;
  int64_t numel_ = 1;
  int64_t offset_ = 0;
  int64_t* sizes_ = inline_;  // sizes, then strides
  Ref<Storage> storage_;
  std::shared_ptr<uint32_t> own_version_;
  int64_t inline_[2 * kInlineDims];
};

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}
  explicit Tensor(TensorImpl* impl) : impl_(impl) {}

  static Tensor empty(IntSpan sizes, DType dtype) { return Tensor(TensorImpl::make_contiguous(sizes, dtype)); }
  static Tensor empty_strided(IntSpan sizes, IntSpan strides, DType dtype);
  // Uninitialised, in the layout that PyTorch gives `like`-shaped results: its strides if dense, else contiguous.
  static Tensor empty_like(const Tensor& like, DType dtype);
  static Tensor empty_like(const Tensor& like) { return empty_like(like, like.dtype()); }
  static Tensor scalar(const Scalar& value, DType dtype);
  // A 0-d tensor standing for a Python number: float64/int64/bool/complex128, weak in promotion.
  static Tensor wrapped(const Scalar& value);

  bool defined() const { return static_cast<bool>(impl_); }
  explicit operator bool() const { return defined(); }
  TensorImpl* get() const { return impl_.get(); }
  TensorImpl* operator->() const { return impl_.get(); }
  const Ref<TensorImpl>& ref() const { return impl_; }
  Ref<TensorImpl> take() { return std::move(impl_); }
  bool is_same(const Tensor& o) const { return impl_ == o.impl_; }
  void reset() { impl_.reset(); }

  DType dtype() const { return impl_->dtype(); }
  Device device() const { return impl_->device(); }
  int64_t dim() const { return impl_->dim(); }
  int64_t numel() const { return impl_->numel(); }
  IntSpan sizes() const { return impl_->sizes(); }
  IntSpan strides() const { return impl_->strides(); }
  int64_t size(int64_t d) const { return impl_->sizes()[wrap(d)]; }
  int64_t stride(int64_t d) const { return impl_->strides()[wrap(d)]; }
  bool is_contiguous() const { return impl_->is_contiguous(); }
  bool requires_grad() const { return impl_ && (impl_->requires_grad || (impl_->base && impl_->base->requires_grad)); }
  void* raw() const { return impl_->data(); }
  template <class T>
  T* data() const {
    return static_cast<T*>(impl_->data());
  }
  Scalar item() const;  // of a one-element tensor

  // A tensor over the same storage, without any autograd state (view_of in ops/basic.h makes the differentiable kind).
  Tensor alias(IntSpan sizes, IntSpan strides, int64_t offset) const;
  Tensor alias() const { return alias(sizes(), strides(), impl_->offset()); }

 private:
  int64_t wrap(int64_t d) const { return d < 0 ? d + dim() : d; }
  Ref<TensorImpl> impl_;
};

using TensorList = std::vector<Tensor>;

}  // namespace rl
