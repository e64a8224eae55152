#include "ops/gradient.h"

#include "ops/basic.h"
#include "ops/registry.h"

namespace rl {
namespace {

const OpDef& op_of(const char* name) { return *Registry::get().overloads(name).front(); }
Tensor called(const OpDef& def, const Value* args) {
  Result result;
  def.fn(args, result);
  return result.tensor;
}

// What the engine needs of operations.
Tensor add(const Tensor& a, const Tensor& b) {
  static const OpDef& def = op_of("add");
  const Value args[] = {Value(a), Value(b), def.params[2].value};
  return called(def, args);
}
void add_in_place(const Tensor& a, const Tensor& b) {
  GradModeGuard off(false);
  static const OpDef& def = op_of("add");
  const Value args[] = {Value(a), Value(b), def.params[2].value};
  run_in_place(def, args);
}
bool has_nan(const Tensor& t) {
  GradModeGuard off(false);
  if (!is_differentiable(t.dtype())) return false;
  const Value of_all[] = {Value(t)};
  const Tensor each = called(op_of("isnan"), of_all);
  const Value of_each[] = {Value(each)};
  return called(op_of("any"), of_each).item().to_bool();
}

const Family family([](Registry&) {
  autograd_support.add = add;
  autograd_support.add_in_place = add_in_place;
  autograd_support.clone = [](const Tensor& t) { return clone(t); };
  autograd_support.copy_data = copy_data;
  autograd_support.has_nan = has_nan;
});

}  // namespace

void add_edges(Node& node, std::span<const Tensor> inputs) {
  for (const Tensor& t : inputs) node.edges.push_back(t.defined() ? gradient_edge(t) : Edge{});
}

bool any_requires_grad(std::span<const Tensor> inputs) {
  bool any = false;
  for (const Tensor& t : inputs) any |= t.requires_grad();
  return any;
}

void link(Ref<Node> node, const Tensor& out, std::span<const Tensor> inputs, std::initializer_list<Keep> keeps) {
  add_edges(*node, inputs);
  for (const Keep& k : keeps) node->saved.emplace_back(k.tensor, k.is_output, k.index);
  set_history(out, std::move(node));
}

void link(Ref<Node> node, std::span<const Tensor> outs, std::span<const Tensor> inputs,
          std::initializer_list<Keep> keeps) {
  add_edges(*node, inputs);
  for (const Keep& k : keeps) node->saved.emplace_back(k.tensor, k.is_output, k.index);
  node->outputs = static_cast<uint32_t>(outs.size());
  for (size_t i = 0; i < outs.size(); ++i)
    if (outs[i].defined() && is_differentiable(outs[i].dtype())) set_history(outs[i], node, static_cast<uint32_t>(i));
}

}  // namespace rl
