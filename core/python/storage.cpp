// What rushlight.storage builds on: the bytes behind a tensor, and tensors over given bytes.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "kernels/crc32.h"
#include "python/python.h"
#include "runtime/parallel.h"

namespace rl::py {
namespace {

PyObject* bytes_of(PyObject*, PyObject* o) {
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(o), "expected a Tensor, got ", type_name(o));
    Tensor t = tensor_of(o);
    int64_t count = static_cast<int64_t>(t->storage().bytes());
    return wrap(Tensor(TensorImpl::make(t->storage_ref(), 0, Dims{count}, Dims{1}, DType::U8)));
  });
}

Dims int_list(PyObject* o) {
  Object list = Object::check(PySequence_Fast(o, "expected a sequence of ints"));
  Dims out;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    int64_t v;
    check_type(to_int(PySequence_Fast_GET_ITEM(list.get(), i), v), "expected ints");
    out.push_back(v);
  }
  return out;
}

PyObject* over_bytes(PyObject*, PyObject* args) {
  PyObject *bytes, *dtype, *sizes, *strides;
  Py_ssize_t offset;
  if (!PyArg_ParseTuple(args, "OOnOO:_tensor_over", &bytes, &dtype, &offset, &sizes, &strides)) return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(bytes) && is_dtype(dtype), "_tensor_over(): expected bytes and a dtype");
    Tensor b = tensor_of(bytes);
    DType d = dtype_from(dtype);
    Dims size = int_list(sizes), stride = int_list(strides);
    check(size.size() == stride.size(), "mismatch in length of strides and shape");
    check(offset >= 0, "storage_offset must be non-negative, got ", offset);
    int64_t last = offset, total = static_cast<int64_t>(b->storage().bytes()) / item_size(d);
    bool empty = false;
    for (int64_t i = 0; i < size.size(); ++i) {
      check(size[i] >= 0 && stride[i] >= 0, "sizes and strides must be non-negative");
      empty |= size[i] == 0;
    }
    for (int64_t i = 0; i < size.size() && !empty; ++i) {
      int64_t reach = 0;
      bool fits =
          !__builtin_mul_overflow(size[i] - 1, stride[i], &reach) && !__builtin_add_overflow(last, reach, &last);
      check(fits && last < total, "sizes ", shape_str(size), ", strides and offset ", offset,
            " reach beyond the storage of ", total, " elements");
    }
    check(empty || last < total, "the storage of ", total, " elements is too small for sizes ", shape_str(size),
          " at offset ", offset);
    return wrap(Tensor(TensorImpl::make(b->storage_ref(), offset, size, stride, d)));
  });
}

PyObject* resize(PyObject*, PyObject* args) {
  PyObject* o;
  Py_ssize_t bytes;
  if (!PyArg_ParseTuple(args, "On:_resize_storage", &o, &bytes)) return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(o), "expected a Tensor, got ", type_name(o));
    Storage& s = tensor_of(o)->storage();
    check(s.resizable(), "Trying to resize storage that is not resizable");
    check(bytes >= static_cast<Py_ssize_t>(s.bytes()), "a storage can grow but not shrink: it has ", s.bytes(),
          " bytes, ", bytes, " were asked for");
    s.resize(static_cast<size_t>(bytes));
    Py_RETURN_NONE;
  });
}

// A file in memory: what mmap=True reads from, and what processes share.
struct Mapping {
  void* data;
  size_t bytes;
  int fd;  // -1 unless shared: by it another process can be given the memory
  Mapping(void* at, size_t n, int file) : data(at), bytes(n), fd(file) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    munmap(data, bytes);
    if (fd >= 0) close(fd);
  }
};
void unmap(void* context) { std::unique_ptr<Mapping>(static_cast<Mapping*>(context)).reset(); }

std::unique_ptr<Mapping> map_file(int fd, size_t bytes, bool shared) {
#ifdef MAP_POPULATE
  constexpr int kAtOnce = MAP_POPULATE;  // all of it will be written or read: cheaper than a fault for each page
#else
  constexpr int kAtOnce = 0;
#endif
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, shared ? MAP_SHARED | kAtOnce : MAP_PRIVATE, fd, 0);
  int why = errno;
  check(data != MAP_FAILED, "unable to mmap ", bytes, " bytes: ", std::strerror(why), " (", why, ")");
  auto m = std::make_unique<Mapping>(data, bytes, -1);
  if (shared) m->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return m;
}

PyObject* map_fd(PyObject*, PyObject* args) {
  int fd, shared;
  Py_ssize_t bytes;
  if (!PyArg_ParseTuple(args, "inp:_map_fd", &fd, &bytes, &shared)) return nullptr;
  return guarded([&]() -> PyObject* {
    check(bytes > 0, "_map_fd(): expected a positive number of bytes, got ", bytes);
    auto m = map_file(fd, static_cast<size_t>(bytes), shared);
    void* data = m->data;
    Ref<Storage> storage = Storage::external(data, static_cast<size_t>(bytes), unmap, m.release());
    return wrap(Tensor(TensorImpl::make(std::move(storage), 0, Dims{bytes}, Dims{1}, DType::U8)));
  });
}

PyObject* share_storage(PyObject*, PyObject* args) {
  PyObject* o;
  int fd;
  if (!PyArg_ParseTuple(args, "Oi:_share_storage", &o, &fd)) return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(o), "expected a Tensor, got ", type_name(o));
    Storage& s = tensor_of(o)->storage();
    check(s.bytes() > 0, "_share_storage(): the storage is empty");
    auto m = map_file(fd, s.bytes(), true);
    void* data = m->data;
    s.move_to(data, unmap, m.release());
    Py_RETURN_NONE;
  });
}

PyObject* storage_fd(PyObject*, PyObject* o) {
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(o), "expected a Tensor, got ", type_name(o));
    const Storage& s = tensor_of(o)->storage();
    if (!s.deleter()) return PyLong_FromLong(-2);
    return PyLong_FromLong(s.deleter() == unmap ? static_cast<Mapping*>(s.context())->fd : -1);
  });
}

// A storage of its own over a part of another one's bytes, which it keeps alive.
PyObject* storage_part(PyObject*, PyObject* args) {
  PyObject* o;
  Py_ssize_t offset, bytes;
  if (!PyArg_ParseTuple(args, "Onn:_storage_part", &o, &offset, &bytes)) return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(o), "expected a Tensor, got ", type_name(o));
    Ref<Storage> whole = tensor_of(o)->storage_ref();
    Py_ssize_t total = static_cast<Py_ssize_t>(whole->bytes());
    check(whole->deleter(), "_storage_part(): only of memory that stays where it is");
    check(offset >= 0 && bytes >= 0 && offset <= total && bytes <= total - offset, "bytes ", offset, " to ",
          offset + bytes, " reach beyond the storage of ", total);
    auto kept = std::make_unique<Ref<Storage>>(whole);
    Ref<Storage> part = Storage::external(
        static_cast<char*>(whole->data()) + offset, static_cast<size_t>(bytes),
        [](void* c) { std::unique_ptr<Ref<Storage>>(static_cast<Ref<Storage>*>(c)).reset(); }, kept.release());
    part->read_only = whole->read_only;
    return wrap(Tensor(TensorImpl::make(std::move(part), 0, Dims{bytes}, Dims{1}, DType::U8)));
  });
}

PyObject* checksum(PyObject*, PyObject* args) {
  Py_buffer view;
  unsigned int crc = 0;
  if (!PyArg_ParseTuple(args, "y*|I:_crc32", &view, &crc)) return nullptr;
  PyThreadState* released = PyEval_SaveThread();
  crc = crc32(crc, view.buf, static_cast<size_t>(view.len));
  PyEval_RestoreThread(released);
  PyBuffer_Release(&view);
  return PyLong_FromUnsignedLong(crc);
}

// Reads and checks piece by piece, on all threads: a piece is checked while it is in the cache.
PyObject* read_checked(PyObject*, PyObject* args) {
  PyObject* source;
  long long at;
  Py_buffer into;
  if (!PyArg_ParseTuple(args, "OLw*:_read_checked", &source, &at, &into)) return nullptr;
  struct Release {
    Py_buffer& view;
    ~Release() { PyBuffer_Release(&view); }
  } release{into};
  return guarded([&]() -> PyObject* {
    constexpr int64_t kPiece = 256 << 10;
    Py_buffer from{};
    bool in_memory = !PyLong_Check(source);
    int fd = -1;
    if (in_memory) {
      if (PyObject_GetBuffer(source, &from, PyBUF_SIMPLE) < 0) throw PythonError{};
    } else {
      fd = static_cast<int>(PyLong_AsLong(source));
    }
    Release also{from};
    int64_t bytes = into.len, pieces = (bytes + kPiece - 1) / kPiece;
    if (in_memory && (at < 0 || at > from.len || bytes > from.len - at)) Py_RETURN_NONE;
    std::vector<uint32_t> sums(static_cast<size_t>(pieces));
    std::atomic<bool> cut{false};
    parallel_for(pieces, 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        int64_t begin = i * kPiece, count = std::min(kPiece, bytes - begin);
        char* to = static_cast<char*>(into.buf) + begin;
        if (in_memory) {
          std::memcpy(to, static_cast<const char*>(from.buf) + at + begin, static_cast<size_t>(count));
        } else {
          for (int64_t done = 0; done < count && !cut.load(std::memory_order_relaxed);) {
            ssize_t got = pread(fd, to + done, static_cast<size_t>(count - done), at + begin + done);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) cut.store(true, std::memory_order_relaxed);
            if (got > 0) done += got;
          }
        }
        sums[static_cast<size_t>(i)] = crc32(0, to, static_cast<size_t>(count));
      }
    });
    if (cut) Py_RETURN_NONE;
    uint32_t crc = 0;
    for (int64_t i = 0; i < pieces; ++i) {
      int64_t count = std::min(kPiece, bytes - i * kPiece);
      crc = crc32_joined(crc, sums[static_cast<size_t>(i)], static_cast<size_t>(count));
    }
    return PyLong_FromUnsignedLong(crc);
  });
}

// Asks the system to start bringing a part of a file to the disk; fsync then has less to wait for.
PyObject* start_writing(PyObject*, PyObject* args) {
  int fd;
  Py_ssize_t offset, bytes;
  if (!PyArg_ParseTuple(args, "inn:_start_writing", &fd, &offset, &bytes)) return nullptr;
#if defined(__linux__)
  PyThreadState* released = PyEval_SaveThread();
  sync_file_range(fd, offset, bytes, SYNC_FILE_RANGE_WRITE);
  PyEval_RestoreThread(released);
#endif
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {
    {"_start_writing", start_writing, METH_VARARGS, "(fd, offset, bytes): start bringing these to the disk."},
    {"_read_checked", read_checked, METH_VARARGS,
     "(fd or bytes, at, into): fills `into` and returns its checksum; None if the source ends before."},
    {"_crc32", checksum, METH_VARARGS, "(bytes, start=0): the checksum of zip files."},
    {"_storage_view", bytes_of, METH_O, "The whole storage of a tensor as uint8."},
    {"_tensor_over", over_bytes, METH_VARARGS,
     "(bytes, dtype, offset, sizes, strides): a tensor over the storage of another."},
    {"_resize_storage", resize, METH_VARARGS, "Grows the storage behind a tensor."},
    {"_map_fd", map_fd, METH_VARARGS,
     "(fd, bytes, shared): a file's first bytes as a uint8 tensor; writes reach the file if shared."},
    {"_share_storage", share_storage, METH_VARARGS,
     "(tensor, fd): moves the tensor's storage into a file of that size, shared with other processes."},
    {"_storage_fd", storage_fd, METH_O,
     "The file behind a shared storage; -1 if it is not shared, -2 if it is the allocator's."},
    {"_storage_part", storage_part, METH_VARARGS,
     "(tensor, offset, bytes): a storage over a part of another, as a uint8 tensor."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

int add_storage(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
