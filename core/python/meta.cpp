#include "python/meta.h"

#include <string_view>

namespace rl::py {

thread_local Device default_device;

namespace {

// Operations whose result's shape, or whose result, depends on the data.
bool needs_data(const OpDef& def, const Value* args) {
  for (std::string_view name :
       {"nonzero", "nonzero_static", "masked_select", "_unique2", "unique_dim", "bincount", "unique_consecutive",
        "histc", "nonzero_numpy", "equal", "is_nonzero", "allclose", "argwhere"})
    if (def.name == name) return true;
  if (def.name == "where") return def.params.size() == 1;
  if (def.name == "one_hot") return args[1].i < 0;
  return def.name == "repeat_interleave" && def.overload == "Tensor";
}

struct Found {
  bool meta = false, cpu = false;  // cpu: other than one number
  void look(const TensorImpl* t) {
    if (is_meta(t->storage()))
      meta = true;
    else if (t->dim() > 0)
      cpu = true;
  }
};

}  // namespace

Device existing_device(PyObject* o) {
  Device d = device_from(o);
  if (d.type == DeviceType::CUDA)
    fail(ErrorKind::Assertion,
         "Torch not compiled with CUDA enabled: rushlight runs on the CPU; choose the device with "
         "torch.device('cuda' if torch.cuda.is_available() else 'cpu')");
  check(d.type == DeviceType::CPU || d.type == DeviceType::Meta, "device '", d.str(),
        "' is not available: rushlight runs on the CPU");
  detail::meta_used |= d.type == DeviceType::Meta;
  return d;
}

PyObject* set_default_device(PyObject*, PyObject* device) {
  return guarded([&]() -> PyObject* {
    default_device = existing_device(device);
    Py_RETURN_NONE;
  });
}
PyObject* get_default_device(PyObject*, PyObject*) { return device_object(default_device); }

bool CallScope::on_meta(const OpDef& def, const Value* args) {
  Found found;
  const Value* device = nullptr;
  bool creates = false;
  for (size_t i = 0; i < def.params.size(); ++i) {
    const Value& v = args[i];
    creates |= def.params[i].type == Tag::Device;
    if (v.tag == Tag::Tensor) {
      found.look(v.tensor);
    } else if (v.tag == Tag::TensorList) {
      for (const Tensor& t : *v.tensors)
        if (t.defined()) found.look(t.get());
    } else if (v.tag == Tag::Device) {
      device = &v;
    }
  }
  bool on = found.meta;
  if (device)
    on = device->device.type == DeviceType::Meta;
  else if (creates && !found.meta && !found.cpu)
    on = default_device.type == DeviceType::Meta;
  if (found.meta) {
    if (needs_data(def, args))
      fail(ErrorKind::NotImplemented, "aten::", def.name,
           ": attempted to run this operator with Meta tensors, but what it gives depends on their data");
    // Into memory from where there is none; the other way round nothing happens.
    bool writes = def.mutates && args[0].tag == Tag::Tensor && !is_meta(args[0].tensor->storage());
    if (writes && def.name == "copy_") fail_without_data();
    if (found.cpu && !device && def.name != "copy_")
      fail(ErrorKind::Runtime, "Tensor on device cpu is not on the expected device meta!");
  }
  return on;
}

}  // namespace rl::py
