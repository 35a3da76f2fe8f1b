// Checked access to the arguments of an addon function. The TypeScript side validates what users pass; these checks keep a wrong call of ours from
// writing outside an array.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

inline double number(const Napi::CallbackInfo& info, size_t i) { return info[i].ToNumber().DoubleValue(); }
inline int64_t integer(const Napi::CallbackInfo& info, size_t i) { return info[i].ToNumber().Int64Value(); }

// The elements of a typed array, or nullptr with a pending TypeError when the argument is something else or shorter than `needed`.
template <class T>
T* elements(const Napi::CallbackInfo& info, size_t i, size_t needed) {
  if (i < info.Length() && info[i].IsTypedArray()) {
    const auto array = info[i].As<Napi::TypedArray>();
    if (array.ElementSize() == sizeof(T) && array.ElementLength() >= needed) {
      // An empty array may have no memory at all; callers take nullptr for an error.
      static T none{};
      T* data = info[i].As<Napi::TypedArrayOf<T>>().Data();
      return data ? data : &none;
    }
  }
  Napi::TypeError::New(info.Env(), "argument " + std::to_string(i) + " must be a typed array of " + std::to_string(sizeof(T)) + "-byte elements with at least " +
                                       std::to_string(needed) + " of them")
      .ThrowAsJavaScriptException();
  return nullptr;
}

// Leaves a RangeError pending. False, so that a reader can return it.
inline bool rangeError(const Napi::CallbackInfo& info, const std::string& message) {
  Napi::RangeError::New(info.Env(), message).ThrowAsJavaScriptException();
  return false;
}

// The elements of a typed array; 0 for anything else.
inline size_t elementCount(const Napi::CallbackInfo& info, size_t i) {
  return i < info.Length() && info[i].IsTypedArray() ? info[i].As<Napi::TypedArray>().ElementLength() : 0;
}

// The number of an operation, argument 0, below `count`.
inline bool readOperation(const Napi::CallbackInfo& info, int count, const char* where, int& op) {
  op = static_cast<int>(integer(info, 0));
  return (op >= 0 && op < count) || rangeError(info, std::string(where) + ": unknown operation");
}

// What an element-wise function reads and writes: the output says how many elements there are, the input must have as many.
template <class In, class Out>
struct Mapped {
  const In* x = nullptr;
  Out* y = nullptr;
  size_t count = 0;
};

template <class In, class Out>
bool readMapped(const Napi::CallbackInfo& info, size_t input, size_t output, Mapped<In, Out>& m) {
  m.count = elementCount(info, output);
  m.y = elements<Out>(info, output, m.count);
  m.x = m.y ? elements<In>(info, input, m.count) : nullptr;
  return m.x != nullptr;
}
