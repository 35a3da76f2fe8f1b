// Checked access to the arguments of an addon function. The TypeScript side validates what users pass; these checks keep a wrong call of ours from
// writing outside an array.
#pragma once

#include <napi.h>

#include <cstdint>

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
