// What the system is told about memory that is there anyway: arenas on huge pages, pages of a file's map that are not needed now.
#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#endif

#include <string>

#include "arguments.h"
#include "families.h"

namespace {

// adviseHugePages(bytes): whether the system was asked for huge pages where these bytes lie. Advice alone: contents and addresses stay.
Napi::Value adviseHugePages(const Napi::CallbackInfo& info) {
  const size_t count = elementCount(info, 0);
  const uint8_t* bytes = elements<uint8_t>(info, 0, count);
  if (!bytes) return info.Env().Undefined();
  bool isDone = false;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  // The pages of the first and the last byte, too: these bytes keep them mapped.
  const uintptr_t first = reinterpret_cast<uintptr_t>(bytes) & ~(page - 1);
  const uintptr_t end = (reinterpret_cast<uintptr_t>(bytes) + count + page - 1) & ~(page - 1);
  isDone = count > 0 && madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE) == 0;
#endif
  return Napi::Boolean::New(info.Env(), isDone);
}

#ifdef __linux__
// Of a line of /proc/self/maps: the range, where it is a map of this file that is shared and cannot be written.
bool isReadMap(char* line, const std::string& path, uintptr_t& first, uintptr_t& end) {
  char permissions[5] = "";
  int at = 0;
  if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n", &first, &end, permissions, &at) != 3 || at == 0) return false;
  if (std::strcmp(permissions, "r--s") != 0 || end <= first) return false;
  const size_t length = std::strcspn(line + at, "\n");
  return length == path.size() && std::memcmp(line + at, path.data(), length) == 0;
}
#endif

// dropMappedPages(path): the pages of a file's maps, in this process, go out of its resident memory, and come back from the system's cache when they are read
// again. The number of bytes of these maps. Maps that can be written, and those of memory, are never touched: their contents would be lost. Whoever calls this
// keeps the file mapped meanwhile.
Napi::Value dropMappedPages(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) {
    Napi::TypeError::New(info.Env(), "dropMappedPages: argument 0 must be the path of a file").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  double bytes = 0;
#ifdef __linux__
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  if (!path.empty() && path[0] == '/') {
    if (FILE* maps = std::fopen("/proc/self/maps", "re")) {
      char* line = nullptr;
      size_t room = 0;
      uintptr_t first, end;
      while (getline(&line, &room, maps) > 0) {
        if (isReadMap(line, path, first, end) && madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED) == 0) bytes += static_cast<double>(end - first);
      }
      std::free(line);
      std::fclose(maps);
    }
  }
#endif
  return Napi::Number::New(info.Env(), bytes);
}

// lendsMemory(): whether a buffer may lie in memory that is not V8's own. Where V8 keeps its buffers in a cage, as in Electron, none may.
Napi::Value lendsMemory(const Napi::CallbackInfo& info) {
  static uint8_t memory[64];
  napi_value buffer;
  const bool isLent = napi_create_external_arraybuffer(info.Env(), memory, sizeof(memory), nullptr, nullptr, &buffer) == napi_ok;
  if (isLent) napi_detach_arraybuffer(info.Env(), buffer);
  return Napi::Boolean::New(info.Env(), isLent);
}

}  // namespace

void registerPages(Napi::Env env, Napi::Object exports) {
  exports.Set("adviseHugePages", Napi::Function::New(env, adviseHugePages));
  exports.Set("dropMappedPages", Napi::Function::New(env, dropMappedPages));
  exports.Set("lendsMemory", Napi::Function::New(env, lendsMemory));
}
