// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace oneclock::kvm {

/** Why a guest left its processor; the numbers are part of the interface to JavaScript (host/kvm/exits.ts). */
enum class ExitKind : uint32_t {
  kOut = 0,           // address: port; value: what it wrote
  kIn = 1,            // address: port; value: the answer, from JavaScript
  kWrite = 2,         // address: guest-physical; value: what it wrote
  kRead = 3,          // address: guest-physical; value: the answer, from JavaScript
  kHalt = 4,          // value: 1 where interrupts are on
  kKicked = 5,        // from outside
  kShutdown = 6,      // triple fault; the guest has ended, as with all that follow
  kEntryFailure = 7,  // value: the reason that the processor gave
  kInternalError = 8, // value: KVM's suberror
  kUnknown = 9,       // value: an exit reason of KVM that has no business here
  kFailure = 10,      // value: errno of KVM_RUN
};

constexpr bool ends_guest(ExitKind kind) { return kind >= ExitKind::kShutdown; }

struct Exit {
  ExitKind kind;
  uint32_t size;  // of an access, in bytes
  uint64_t address;
  uint64_t value;
};

/** What the guest's thread and JavaScript share. Only the one whose turn it is touches it. */
struct ExitRecord {
  Exit now;
  Exit before;  // the exit before this one: what a guest did last before it died
};
static_assert(sizeof(ExitRecord) == 48, "exits.ts reads six 64-bit words");

}  // namespace oneclock::kvm
