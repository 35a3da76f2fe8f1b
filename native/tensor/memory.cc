// Slabs for the engine's tensors: anonymous pages outside V8's heap, on huge pages where the system gives them.
#include <cstdlib>
#include <new>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#define VOX_MMAP 1
#endif

#include "arguments.h"
#include "families.h"

namespace {

void* take(size_t bytes) {
#ifdef VOX_MMAP
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
#else
  return std::calloc(1, bytes);
#endif
}

void give(void* memory, size_t bytes) {
#ifdef VOX_MMAP
  munmap(memory, bytes);
#else
  std::free(memory);
#endif
}

// allocateSlab(bytes) -> ArrayBuffer, or undefined when the system has no such memory
Napi::Value allocateSlab(const Napi::CallbackInfo& info) {
  const double wish = number(info, 0);
  if (!(wish >= 1 && wish <= 1e15)) {
    rangeError(info, "allocateSlab: bytes must be positive");
    return info.Env().Undefined();
  }
  const size_t bytes = static_cast<size_t>(wish);
  void* memory = take(bytes);
  if (!memory) return info.Env().Undefined();
  // The plain call: where Node refuses the length it gives the memory back itself and leaves the error pending, and node-addon-api would free its own record
  // of the finalizer a second time.
  napi_value buffer;
  const auto release = [](napi_env, void* data, void* hint) { give(data, reinterpret_cast<size_t>(hint)); };
  if (napi_create_external_arraybuffer(info.Env(), memory, bytes, release, reinterpret_cast<void*>(bytes), &buffer) != napi_ok) {
    if (!info.Env().IsExceptionPending()) rangeError(info, "allocateSlab: the buffer could not be made");
    return info.Env().Undefined();
  }
  return Napi::Value(info.Env(), buffer);
}

// releaseSlab(buffer): its pages go back to the system now, not at the next garbage collection. Views of it become empty.
void releaseSlab(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsArrayBuffer()) {
    Napi::TypeError::New(info.Env(), "releaseSlab: argument 0 must be an ArrayBuffer").ThrowAsJavaScriptException();
    return;
  }
  info[0].As<Napi::ArrayBuffer>().Detach();
}

}  // namespace

void registerMemory(Napi::Env env, Napi::Object exports) {
  exports.Set("allocateSlab", Napi::Function::New(env, allocateSlab));
  exports.Set("releaseSlab", Napi::Function::New(env, releaseSlab));
}
