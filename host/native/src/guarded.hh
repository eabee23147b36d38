// SPDX-License-Identifier: MIT
#pragma once
#include <napi.h>

#include <system_error>

namespace oneclock {

/** Calls `body`, and throws what it threw as a JavaScript error that carries the errno. */
template <typename Body>
auto guarded(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::system_error& error) {
    Napi::Error thrown = Napi::Error::New(env, error.what());
    thrown.Set("errno", Napi::Number::New(env, error.code().value()));
    throw thrown;
  }
}

}  // namespace oneclock
