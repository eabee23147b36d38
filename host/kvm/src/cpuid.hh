// SPDX-License-Identifier: MIT
#pragma once

namespace oneclock::kvm {

/**
 * Tells the processor what it is: of what this machine can do, only what is on a list, so that a guest sees no clock, no
 * interrupt controller and no randomness but ours, and the same processor on most machines.
 */
void set_cpuid(int kvm, int vcpu);

}  // namespace oneclock::kvm
