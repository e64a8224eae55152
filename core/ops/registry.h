// The registry of ops. From a record here come the Python function and method, the in-place form and out=, argument
// parsing and its errors, the stubs, the reference page, the names in recorded graphs and the conformance list.
//
//   static const Family family([](Registry& r) {
//     r.op<&mm>("mm(Tensor self, Tensor mat2) -> Tensor", "Matrix product of two matrices. ...");
//   });
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "kernels/pointwise/record.h"
#include "ops/value.h"
#include "tensor/allocator.h"

namespace rl {

struct Param {
  std::string name;
  Tag type;
  bool optional = false;  // T?: None is allowed
  int list_size = 0;      // int[2]: one int stands for two
  bool keyword_only = false;
  bool has_default = false;
  std::string default_text;
  bool optional_elements = false;  // Tensor?[]
  bool number = false;             // a Tensor that may be given as a Python number
  // The default, ready to be passed on.
  Value value;
  Dims ints;
  std::vector<double> doubles;
  std::string string;
};

using pointwise::Numbers;

struct PointwiseDef;

struct OpDef {
  std::string schema;  // as registered, $options spelled out
  std::string name;    // "add"
  std::string overload;
  std::vector<Param> params;
  std::vector<std::pair<char, std::string>> returns;  // type letter: T(ensor), L(ist), o(ther); field name or ""
  int positional = 0;                                 // how many params may be given by position
  Boxed fn = nullptr;
  const char* doc = "";
  const PointwiseDef* pointwise = nullptr;
  bool function = true;   // torch.NAME
  bool method = false;    // Tensor.NAME: the first parameter is self
  bool in_place = false;  // NAME_ is derived
  bool mutates = false;   // an op that is itself in place (its name ends in _)
  Numbers numbers = Numbers::None;
  int index = 0;
};

// What can be said of an op besides its schema.
struct Traits {
  bool function = true;
  bool method = true;
  bool in_place = false;
  Numbers numbers = Numbers::None;
};

class Registry {
 public:
  static Registry& get();

  template <auto F>
  OpDef& op(const char* schema, const char* doc = "", Traits traits = {}) {
    return add(schema, &box<F>, doc, traits);
  }
  OpDef& add(std::string schema, Boxed fn, const char* doc, Traits traits);
  // Another name for all overloads of an op, wherever that is registered.
  void alias(const char* name, const char* of) { aliases_.emplace_back(name, of); }

  const std::vector<OpDef*>& ops() const { return ops_; }
  const std::vector<OpDef*>& overloads(const std::string& name) const;
  bool has(const std::string& name) const { return by_name_.contains(name); }
  const std::vector<std::string>& names() const { return names_; }
  void load();  // runs all families, once

 private:
  std::vector<OpDef*> ops_;
  std::vector<std::unique_ptr<OpDef>> owned_;
  std::unordered_map<std::string, std::vector<OpDef*>> by_name_;
  std::vector<std::string> names_;
  std::vector<std::pair<const char*, const char*>> aliases_;
  void resolve(const char* alias, const char* of);
};

// A file of ops registers itself: one static Family per file.
class Family {
 public:
  using Fill = void (*)(Registry&);
  explicit Family(Fill fill) : fill_(fill), next_(first) { first = this; }
  static Family* first;
  void fill(Registry& r) const { fill_(r); }
  Family* next() const { return next_; }

 private:
  Fill fill_;
  Family* next_;
};

// Parses a schema; a ValueError says where it is wrong.
void parse_schema(const std::string& text, OpDef& def);

// The one path by which Python calls an op: the recorder (graph/recorder.h) listens here.
using CallObserver = void (*)(const OpDef& def, const Value* args, const Result& result);
inline thread_local constinit CallObserver call_observer RL_FAST_TLS = nullptr;

inline void call_op(const OpDef& def, const Value* args, Result& result) {
  def.fn(args, result);
  if (call_observer) [[unlikely]]
    call_observer(def, args, result);
}

}  // namespace rl
