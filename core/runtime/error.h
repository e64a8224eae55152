// Errors of the core. Each kind maps to one Python exception type (core/python/errors.cpp).
#pragma once

#include <cstddef>
#include <ostream>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace rl {

enum class ErrorKind { Runtime, Type, Value, Index, NotImplemented, OutOfMemory, Assertion, LinAlg, Python };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind(kind) {}
  ErrorKind kind;
};

// A part of a message: where it lies and how it is written. So what puts messages together is one function, not one for
// each combination of types, of which there are hundreds.
class Part {
 public:
  template <class T>
  explicit Part(const T& value)
      : value_(&value), write_([](std::ostream& out, const void* value) { out << *static_cast<const T*>(value); }) {}
  friend std::ostream& operator<<(std::ostream& out, const Part& part) {
    part.write_(out, part.value_);
    return out;
  }

 private:
  const void* value_;
  void (*write_)(std::ostream&, const void*);
};

std::string joined(const Part* parts, size_t count);
[[noreturn, gnu::cold]] void fail_with(ErrorKind kind, const Part* parts, size_t count);

namespace detail {

// A literal is a pointer here: its length would make another instance. Numbers stay in registers.
template <class T>
using Passed = std::conditional_t<
    std::is_array_v<T>, const char*,
    std::conditional_t<std::is_same_v<T, int>, long, std::conditional_t<std::is_scalar_v<T>, T, const T&>>>;

template <class... Parts>
[[gnu::noinline]] std::string concat_parts(Parts... parts) {
  const Part list[] = {Part(parts)...};
  return joined(list, sizeof...(parts));
}
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail_parts(ErrorKind kind, Parts... parts) {
  const Part list[] = {Part(parts)...};
  fail_with(kind, list, sizeof...(parts));
}

}  // namespace detail

template <class... Parts>
std::string concat(const Parts&... parts) {
  return detail::concat_parts<detail::Passed<Parts>...>(parts...);
}

template <class... Parts>
[[noreturn]] inline void fail(ErrorKind kind, const Parts&... parts) {
  detail::fail_parts<detail::Passed<Parts>...>(kind, parts...);
}

// check(x > 0, "op(): expected ..., got ", x): a RuntimeError unless the condition holds.
template <class... Parts>
inline void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(ErrorKind::Runtime, parts...);
}
template <class... Parts>
inline void check_type(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(ErrorKind::Type, parts...);
}
template <class... Parts>
inline void check_value(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(ErrorKind::Value, parts...);
}
template <class... Parts>
inline void check_index(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(ErrorKind::Index, parts...);
}

}  // namespace rl
