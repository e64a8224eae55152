#include "ops/pointwise_register.h"

#include <cctype>
#include <cstring>
#include <deque>

namespace rl {

// Not in the header: every formula has dozens of them.
TensorExpr::TensorExpr(double number) : tensor(Tensor::wrapped(Scalar(number))) {}
TensorExpr::TensorExpr(const Tensor& t) : tensor(t) {}
TensorExpr::TensorExpr(const TensorExpr& other) = default;
TensorExpr::~TensorExpr() = default;

namespace detail {
namespace {

std::string camel_case(std::string_view name) {
  std::string out;
  bool upper = true;
  for (char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return out;
}

}  // namespace

void register_record(Registry& r, PointwiseDef& d, const RecordFacts& f) {
  static std::deque<std::string> names;
  const std::string_view schema = f.schema;
  const std::string& name = names.emplace_back(schema.substr(0, schema.find_first_of(".(")));
  auto version = [&](int i) { return camel_case(name) + "Backward" + f.backward_versions[i]; };
  d.name = name.c_str();
  d.backward_name = f.backward_name ? f.backward_name : camel_case(name) + "Backward0";
  if (f.backward_versions) {
    d.backward_name = version(0);
    d.backward_of_numbers[0] = version(1);
    d.backward_of_numbers[1] = version(2);
  }
  d.no_derivative = f.no_derivative;
  d.rule = f.rule;
  d.types = f.types;
  d.tensors = f.tensors;
  d.scalars = f.scalars;
  d.bool_result = f.bool_result;
  d.integer_division = f.integer_division;
  d.no_negative_power = f.no_negative_power;
  d.refuses_bool = f.refuses_bool;
  d.has_alpha = std::strstr(f.schema, "alpha=1)") != nullptr;
  d.scalars_promote = f.scalars > 0 && !d.has_alpha && std::strstr(f.schema, "value=1)") == nullptr &&
                      std::strstr(f.schema, "Scalar weight)") == nullptr;
  std::copy(f.has_grad.begin(), f.has_grad.end(), d.has_grad);
  std::copy(f.grad_uses.begin(), f.grad_uses.end(), d.grad_uses);
  d.grad_expr = f.grad_expr;
  if (f.hidden) return;
  OpDef& def = r.add(f.schema, f.box, f.doc, Traits{.in_place = true, .numbers = f.numbers});
  def.pointwise = &d;
}

}  // namespace detail
}  // namespace rl
