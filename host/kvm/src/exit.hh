// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace oneclock::kvm {

/** Why a guest left its processor; the numbers are part of the interface to JavaScript (host/kvm/exits.ts). */
enum class ExitKind : uint32_t {
  kOut = 0,             // address: port; value: what it wrote
  kIn = 1,              // address: port; value: the answer
  kWrite = 2,           // address: guest-physical; value: what it wrote
  kRead = 3,            // address: guest-physical; value: the answer
  kHypercall = 4,       // address: number; value: operation
  kBell = 5,            // address: operation; value: its result, from JavaScript; its arguments are in the record
  kSerial = 6,          // the record holds output of the serial port
  kWait = 7,            // value: when it wants to go on
  kHalt = 8,            // value: 1 where interrupts are on
  kKicked = 9,          // from outside
  kPower = 10,          // address: ONECLOCK_HC_END_*; the guest has ended, as with all that follow
  kBreach = 11,         // size: what it did, a Breach; address: what was found; value: what it was held against
  kShutdown = 12,       // triple fault
  kEntryFailure = 13,   // value: the reason that the processor gave
  kInternalError = 14,  // value: KVM's suberror
  kUnknown = 15,        // value: an exit reason of KVM that has no business here
  kFailure = 16,        // value: errno of KVM_RUN
};

constexpr bool ends_guest(ExitKind kind) { return kind >= ExitKind::kPower; }

/** What a guest may not do; the numbers are part of the interface to JavaScript (host/kvm/exits.ts). */
enum class Breach : uint32_t {
  kHalt = 0,        // HLT with interrupts off
  kAccess = 1,      // an access to a port of the clock that is no write of 4 bytes; found: size
  kNoPage = 2,      // found: operation, before START
  kFrame = 3,       // found: page frame; held against: frames of memory
  kOtherPage = 4,   // found: page frame; held against: that of the first START
  kVector = 5,      // found: vector
  kTimeBack = 6,    // found: the page's now; held against: what it was
  kTimeAhead = 7,   // found: the page's now; held against: free_until
  kOperation = 8,   // found: operation
  kInstant = 9,     // ADVANCE; found: its argument; held against: now
  kEnd = 10,        // END; found: its argument
  kNotReal = 11,    // START of a guest in real time that does not ask for ONECLOCK_HC_FEATURE_REAL
};

struct Exit {
  ExitKind kind;
  uint32_t size;  // of an access, in bytes
  uint64_t address;
  uint64_t value;
};

inline Exit breach(Breach what, uint64_t found = 0, uint64_t held_against = 0) {
  return {ExitKind::kBreach, static_cast<uint32_t>(what), found, held_against};
}

constexpr uint32_t kSerialBytes = 256;
constexpr uint32_t kNotifications = 64;
constexpr uint64_t kNoPage = ~uint64_t{0};

/** A notification of a virtio queue that the guest went on from: see notifications.hh. */
struct Notification {
  uint64_t time;
  uint16_t slot;
  uint16_t queue;
  uint16_t available;  // the index of its available ring by then
  uint16_t reserved;
};

/** What the guest's thread and JavaScript share; host/kvm/exits.ts has the places. Only whose turn it is touches it. */
struct ExitRecord {
  Exit now;
  Exit before;           // the exit before this one: what a guest did last before it died
  uint64_t args[3];      // of kBell
  uint64_t count;        // of all exits, also those that no JavaScript sees
  // With a platform. Instants are nanoseconds of virtual time.
  uint64_t time;         // the guest's
  uint64_t request;      // of kWait
  uint64_t run_at;       // from JavaScript, behind kWait: what time it is
  uint64_t free_until;   // from JavaScript: the guest may move its time to instants before this one
  uint64_t page;         // guest-physical address of the clock page
  uint32_t thread;       // the thread's number, once it is there
  uint32_t serial_count;
  uint8_t serial[kSerialBytes];
  uint64_t notified;     // how many of notifications there are; JavaScript takes them, and sets it to 0
  Notification notifications[kNotifications];
};
static_assert(sizeof(Exit) == 24 && sizeof(Notification) == 16 &&
                  sizeof(ExitRecord) == 16 * 8 + kSerialBytes + 8 + kNotifications * sizeof(Notification),
              "host/kvm/exits.ts has the places");

}  // namespace oneclock::kvm
