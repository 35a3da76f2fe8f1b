// Streaming gzip and zlib decompression with the zlib that is inside the node executable: JavaScript has it only whole-file or asynchronous, and a loader wants to
// decode each piece while it is in the cache.
#include <zlib.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include "arguments.h"
#include "families.h"

namespace {

// Looked up by name, so that the addon still loads in a node that does not export its zlib.
template <class Function>
Function symbol(const char* name) {
#ifdef _WIN32
  return reinterpret_cast<Function>(reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(nullptr), name)));
#else
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
#endif
}

const auto zlibInit = symbol<int (*)(z_streamp, int, const char*, int)>("inflateInit2_");
const auto zlibInflate = symbol<int (*)(z_streamp, int)>("inflate");
const auto zlibReset = symbol<int (*)(z_streamp)>("inflateReset");
const auto zlibEnd = symbol<int (*)(z_streamp)>("inflateEnd");

struct Inflater {
  z_stream stream{};
  bool isOpen = false;

  explicit Inflater(int window) { isOpen = zlibInit(&stream, window, ZLIB_VERSION, sizeof(z_stream)) == Z_OK; }
  ~Inflater() { close(); }
  void close() {
    if (isOpen) zlibEnd(&stream);
    isOpen = false;
  }
  // Largest window, with the checksums of the wrapping.
  static constexpr int kZlibOnly = 15;
  static constexpr int kGzipOnly = 15 + 16;
};

constexpr napi_type_tag kInflaterTag = {0x766f787374726561ull, 0x6d696e666c617465ull};

Inflater* inflaterOf(const Napi::CallbackInfo& info) {
  if (info[0].IsExternal()) {
    const auto external = info[0].As<Napi::External<Inflater>>();
    if (external.CheckTypeTag(&kInflaterTag) && external.Data()->isOpen) return external.Data();
  }
  Napi::TypeError::New(info.Env(), "argument 0 must be an open inflater").ThrowAsJavaScriptException();
  return nullptr;
}

// inflateOpen(isZlib) → inflater, of gzip members otherwise
Napi::Value inflateOpen(const Napi::CallbackInfo& info) {
  const bool isZlib = info.Length() > 0 && info[0].IsBoolean() && info[0].As<Napi::Boolean>().Value();
  auto* inflater = new Inflater(isZlib ? Inflater::kZlibOnly : Inflater::kGzipOnly);
  if (!inflater->isOpen) {
    delete inflater;
    Napi::Error::New(info.Env(), "zlib has no memory").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  auto external = Napi::External<Inflater>::New(info.Env(), inflater, [](Napi::Env, Inflater* old) { delete old; });
  external.TypeTag(&kInflaterTag);
  return external;
}

// inflateRun(inflater, input, output, progress): decompresses until input or output are used up or a gzip member ends; progress becomes
// [bytes read, bytes written, 1 when a member ended].
void inflateRun(const Napi::CallbackInfo& info) {
  Inflater* inflater = inflaterOf(info);
  const uint8_t* input = inflater ? elements<uint8_t>(info, 1, 0) : nullptr;
  uint8_t* output = input ? elements<uint8_t>(info, 2, 0) : nullptr;
  double* progress = output ? elements<double>(info, 3, 3) : nullptr;
  if (!progress) return;
  const size_t inputLength = info[1].As<Napi::TypedArray>().ElementLength();
  const size_t outputLength = info[2].As<Napi::TypedArray>().ElementLength();
  if (inputLength > 0x7fffffff || outputLength > 0x7fffffff) {
    rangeError(info, "pieces must be below 2 GB");
    return;
  }
  z_stream& stream = inflater->stream;
  stream.next_in = const_cast<uint8_t*>(input);
  stream.avail_in = static_cast<uInt>(inputLength);
  stream.next_out = output;
  stream.avail_out = static_cast<uInt>(outputLength);
  const int result = zlibInflate(&stream, Z_NO_FLUSH);
  progress[0] = static_cast<double>(inputLength - stream.avail_in);
  progress[1] = static_cast<double>(outputLength - stream.avail_out);
  progress[2] = result == Z_STREAM_END ? 1 : 0;
  if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return;
  Napi::Error::New(info.Env(), stream.msg ? stream.msg : result == Z_MEM_ERROR ? "zlib has no memory" : "invalid data").ThrowAsJavaScriptException();
}

// inflateNext(inflater): ready for the next member.
void inflateNext(const Napi::CallbackInfo& info) {
  if (Inflater* inflater = inflaterOf(info)) zlibReset(&inflater->stream);
}

// inflateClose(inflater): gives its memory back now instead of at some collection.
void inflateClose(const Napi::CallbackInfo& info) {
  if (Inflater* inflater = inflaterOf(info)) inflater->close();
}

}  // namespace

void registerInflate(Napi::Env env, Napi::Object exports) {
  if (!zlibInit || !zlibInflate || !zlibReset || !zlibEnd) return;
  exports.Set("inflateOpen", Napi::Function::New(env, inflateOpen));
  exports.Set("inflateRun", Napi::Function::New(env, inflateRun));
  exports.Set("inflateNext", Napi::Function::New(env, inflateNext));
  exports.Set("inflateClose", Napi::Function::New(env, inflateClose));
}
