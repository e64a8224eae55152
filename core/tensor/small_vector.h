// A vector whose first N items live inside it. For shapes, argument lists and graph edges: rarely longer, often copied.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace rl {

template <class T, int N>
class SmallVector {
 public:
  SmallVector() : data_(inline_data()) {}
  SmallVector(std::initializer_list<T> items) : SmallVector() {
    reserve(static_cast<int64_t>(items.size()));
    for (const T& x : items) push_back(x);
  }
  SmallVector(int64_t n, const T& value) : SmallVector() { resize(n, value); }
  template <class It>
    requires(!std::is_integral_v<It>)
  SmallVector(It first, It last) : SmallVector() {
    for (; first != last; ++first) push_back(*first);
  }
  SmallVector(std::span<const T> items) : SmallVector(items.begin(), items.end()) {}
  SmallVector(const SmallVector& o) : SmallVector() { append(o.begin(), o.end()); }
  SmallVector(SmallVector&& o) noexcept : SmallVector() { take(o); }
  SmallVector& operator=(const SmallVector& o) {
    if (this != &o) {
      clear();
      append(o.begin(), o.end());
    }
    return *this;
  }
  SmallVector& operator=(SmallVector&& o) noexcept {
    if (this != &o) {
      clear();
      free_heap();
      take(o);
    }
    return *this;
  }
  ~SmallVector() {
    clear();
    free_heap();
  }

  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }
  T& front() { return data_[0]; }
  const T& front() const { return data_[0]; }
  operator std::span<const T>() const { return {data_, static_cast<size_t>(size_)}; }

  template <class... A>
  T& emplace_back(A&&... args) {
    if (size_ == capacity_) grow(size_ + 1);
    T* made = std::construct_at(data_ + size_, std::forward<A>(args)...);  // counted only once it exists
    ++size_;
    return *made;
  }
  void push_back(const T& x) {
    if (size_ == capacity_) {
      T copy(x);
      grow(size_ + 1);
      std::construct_at(data_ + size_++, std::move(copy));
    } else {
      std::construct_at(data_ + size_++, x);
    }
  }
  void push_back(T&& x) { emplace_back(std::move(x)); }
  void pop_back() { std::destroy_at(data_ + --size_); }
  void clear() {
    std::destroy_n(data_, size_);
    size_ = 0;
  }
  void reserve(int64_t n) {
    if (n > capacity_) grow(n);
  }
  void resize(int64_t n, const T& value = T()) {
    reserve(n);
    while (size_ > n) pop_back();
    while (size_ < n) emplace_back(value);
  }
  template <class It>
  void append(It first, It last) {
    for (; first != last; ++first) push_back(*first);
  }
  void insert(int64_t at, T x) {
    emplace_back(std::move(x));
    for (int64_t i = size_ - 1; i > at; --i) std::swap(data_[i], data_[i - 1]);
  }
  void erase(int64_t at) {
    for (int64_t i = at; i + 1 < size_; ++i) data_[i] = std::move(data_[i + 1]);
    pop_back();
  }
  bool operator==(const SmallVector& o) const {
    if (size_ != o.size_) return false;
    for (int64_t i = 0; i < size_; ++i)
      if (!(data_[i] == o.data_[i])) return false;
    return true;
  }

 private:
  T* inline_data() { return reinterpret_cast<T*>(storage_); }
  bool on_heap() const { return data_ != reinterpret_cast<const T*>(storage_); }
  void grow(int64_t needed) {
    int64_t capacity = needed > 2 * capacity_ ? needed : 2 * capacity_;
    std::allocator<T> allocator;
    T* fresh = allocator.allocate(static_cast<size_t>(capacity));
    std::uninitialized_move_n(data_, size_, fresh);
    std::destroy_n(data_, size_);
    free_heap();
    data_ = fresh;
    capacity_ = static_cast<uint32_t>(capacity);
  }
  void free_heap() {
    if (on_heap()) {
      std::allocator<T>().deallocate(data_, capacity_);
      data_ = inline_data();
      capacity_ = N;
    }
  }
  void take(SmallVector& o) {
    if (o.on_heap()) {
      data_ = std::exchange(o.data_, o.inline_data());
      capacity_ = std::exchange(o.capacity_, static_cast<uint32_t>(N));
      size_ = std::exchange(o.size_, 0u);
    } else {
      std::uninitialized_move_n(o.data_, o.size_, data_);
      size_ = o.size_;
      o.clear();
    }
  }

  T* data_;
  uint32_t size_ = 0;
  uint32_t capacity_ = N;
  alignas(T) unsigned char storage_[sizeof(T) * N];
};

using Dims = SmallVector<int64_t, 6>;
using IntSpan = std::span<const int64_t>;

}  // namespace rl
