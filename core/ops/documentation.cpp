#include "ops/documentation.h"

#include "ops/pointwise.h"
#include "runtime/error.h"

namespace rl {
namespace {

std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) text += (!i ? "" : i + 1 < items.size() ? ", " : " and ") + items[i];
  return text;
}

std::vector<std::string> tensor_names(const OpDef& def) {
  std::vector<std::string> names;
  for (const Param& p : def.params)
    if (p.type == Tag::Tensor) names.push_back(p.name);
  return names;
}

std::string shapes(const OpDef& def, const std::vector<std::string>& names) {
  if (names.size() < 2) return concat("Shape: that of ", listed(names), ".");
  std::string numbers;
  if (def.numbers == Numbers::Last) numbers = concat("; ", names.back(), " may be a number");
  if (def.numbers == Numbers::Either || def.numbers == Numbers::Both) numbers = "; either may be a number";
  return concat("Shapes: ", listed(names), " are broadcast, a RuntimeError where they do not fit", numbers, ".");
}

std::string dtypes(const PointwiseDef& record) {
  using namespace pointwise;
  if (record.rule == Rule::Select) return "The first is bool, the others are promoted to one dtype.";
  const bool floats = record.rule == Rule::Float || (record.rule == Rule::RealOfComplex && !(record.types & kInts));
  std::vector<std::string> kinds, others;
  auto kind = [&](unsigned bits, const char* name) {
    ((record.types & bits) == bits ? kinds : others).push_back(name);
  };
  if (!floats) {
    kind(kBool, "bool");
    kind(kInts, "integers");
  }
  kind(kFloating, "floating");
  kind(kComplex, "complex");
  std::string text = "Dtypes: " + listed(kinds);
  if (!others.empty()) text += concat("; not ", listed(others), " (RuntimeError)");
  if (floats) text += "; bool and integers become the default float dtype";
  if (record.rule == Rule::Compare || record.rule == Rule::Logical) text += "; the result is bool";
  if (record.rule == Rule::RealOfComplex) text += "; the result is real";
  if (record.rule == Rule::ComplexOfReal) text += "; the result is complex";
  return text + ".";
}

std::string gradients(const PointwiseDef& record, const std::vector<std::string>& names) {
  std::vector<std::string> in;
  for (size_t i = 0; i < names.size() && i < std::size(record.has_grad); ++i)
    if (record.has_grad[i]) in.push_back(names[i]);
  return in.empty() ? "No gradient." : concat("Gradient: in ", listed(in), " (", record.backward_name, ").");
}

}  // namespace

std::string documentation(const OpDef& def) {
  const std::string text = def.doc;
  if (!def.pointwise || text.empty()) return text;
  const std::vector<std::string> names = tensor_names(def);
  const std::string facts =
      concat(shapes(def, names), "\n", dtypes(*def.pointwise), "\n", gradients(*def.pointwise, names), "\n");
  const size_t examples = std::min(text.find(">>>"), text.size());
  return concat(text.substr(0, examples), examples ? "" : "\n\n", facts, "\n", text.substr(examples));
}

}  // namespace rl
