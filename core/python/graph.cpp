// _C._record(function, *args): runs it and lists the ops it called.
#include "graph/recorder.h"
#include "python/python.h"

namespace rl::py {
namespace {

PyObject* values(const std::vector<RecordedValue>& list) {
  Object tuple = Object::check(PyTuple_New(static_cast<Py_ssize_t>(list.size())));
  for (size_t i = 0; i < list.size(); ++i) {
    Object sizes = Object::check(size_object(list[i].sizes));
    PyObject* row = Py_BuildValue("(iiOO)", list[i].producer, list[i].output, sizes.get(), dtype_object(list[i].dtype));
    if (!row) throw PythonError{};
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), row);
  }
  return tuple.release();
}

PyObject* record_calls(PyObject*, PyObject* args) {
  return guarded([&]() -> PyObject* {
    check_type(PyTuple_GET_SIZE(args) >= 1, "_record(): expected a function and its arguments");
    Object rest = Object::check(PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)));
    Recorder recorder;
    Object result = Object::check(PyObject_CallObject(PyTuple_GET_ITEM(args, 0), rest.get()));
    Object list = Object::check(PyList_New(0));
    for (const RecordedOp& op : recorder.ops()) {
      std::string name = op.def->overload.empty() ? op.def->name : op.def->name + "." + op.def->overload;
      Object inputs = Object::check(values(op.inputs)), outputs = Object::check(values(op.outputs));
      Object row = Object::check(Py_BuildValue("(sOO)", name.c_str(), inputs.get(), outputs.get()));
      if (PyList_Append(list.get(), row.get()) < 0) throw PythonError{};
    }
    return Py_BuildValue("(OO)", result.get(), list.get());
  });
}

PyMethodDef functions[] = {
    {"_record", record_calls, METH_VARARGS, "Runs function(*args); returns (result, [(op, inputs, outputs)])."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

int add_graph(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
