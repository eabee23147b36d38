// SPDX-License-Identifier: MIT
#pragma once

namespace oneclock::kvm {

/**
 * Tells the processor what it is: of what this machine can do, only what is on a list, so that a guest sees no clock, no
 * interrupt controller and no randomness but ours, and the same processor on most machines. With `signature` it learns
 * who we are.
 */
void set_cpuid(int kvm, int vcpu, bool signature);

}  // namespace oneclock::kvm
