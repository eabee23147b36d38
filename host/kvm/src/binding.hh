// SPDX-License-Identifier: MIT
#pragma once
#include <napi.h>

namespace oneclock::kvm {

/** The class Machine of the addon; its shape is `NativeMachine` in host/native/addon.ts. */
Napi::Function define_machine(Napi::Env env);

}  // namespace oneclock::kvm
