// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>

#include "guest_memory.hh"

namespace oneclock::kvm {

// Guest-physical layout. Below kImageBase is what a guest starts with; it may take the place when it has its own.
constexpr uint64_t kGdt = 0x500;
constexpr uint64_t kPageTables = 0x9000;  // six pages; the first stack ends here and grows down
constexpr uint64_t kImageBase = 0x10000;
constexpr size_t kMinMemory = 1 << 20;
// Above are devices: the 32-bit hole, of which the topmost part is KVM's own.
constexpr size_t kMaxMemory = size_t{3} << 30;

struct Entry {
  uint64_t address;
  uint64_t stack;
  uint64_t argument;  // in RDI, the first argument of a C function, and in RSI, Linux's boot_params
};

/**
 * Puts a processor where Linux's 64-bit boot protocol and bare-metal programs expect it: long mode, interrupts off, flat
 * segments (code 0x10, data 0x18), the first 4 GiB mapped one to one.
 */
void enter_long_mode(int vcpu, const GuestMemory& memory, const Entry& entry);

}  // namespace oneclock::kvm
