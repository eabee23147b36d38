// SPDX-License-Identifier: MIT
#pragma once
#include <memory>

#include "clock_page.hh"
#include "cmos.hh"
#include "exit.hh"
#include "guest_memory.hh"
#include "interrupts.hh"
#include "notifications.hh"
#include "real_page.hh"
#include "timers.hh"
#include "uart.hh"
#include "virtio_interrupts.hh"

namespace oneclock::kvm {

/** The numbers are part of the interface to JavaScript (host/kvm/platform.ts). */
enum class ClockKind : uint32_t { kPage = 0, kTimers = 1, kReal = 2 };

struct PlatformOptions {
  ClockKind clock;
  uint64_t time_of_day;  // at virtual time 0, in nanoseconds since 1970
  uint32_t features;     // ONECLOCK_HC_FEATURE_*
  uint32_t devices;      // virtio pages
};

/**
 * What a guest has around its processor: a clock, and the devices of a PC as far as they are needed here
 * and not in JavaScript. All methods are for the thread whose turn it is.
 */
class Platform {
 public:
  Platform(const PlatformOptions& options, const GuestMemory& memory, Interrupts& interrupts, ExitRecord& record);

  /**
   * Does what `exit` asks for. True where the guest goes on, with the answer to kIn, kRead and kHypercall in `value`;
   * else `exit` is now what the controller has to see.
   */
  bool handle(Exit& exit, const uint64_t* hypercall_args);
  /** As handle(), for an exit that the controller has seen and lets go on. */
  bool proceed(Exit& exit);
  /** True where a guest that is to wait has something to do after all. */
  bool awake() const { return cause_.kind == ExitKind::kHalt && interrupts_.next() >= 0; }

  uint64_t now() const { return clock_->now(); }
  uint64_t request() const { return clock_->request(); }
  /** Null where time is virtual. */
  RealTime* real_time() const { return real_ ? &real_->time() : nullptr; }
  VirtioInterrupts& virtio() { return virtio_; }
  Notifications& notifications() { return notifications_; }

 private:
  bool out(Exit& exit);
  bool in(Exit& exit);
  uint64_t read(uint64_t port);
  bool halt(Exit& exit);
  bool write_virtio(const Exit& exit);
  bool doorbell(Exit& exit);
  bool ring(Exit& exit, uint64_t operation, const uint64_t* args);
  bool advance(Exit& exit, uint64_t instant);
  bool advanced(Exit& exit);
  bool answer(Exit& exit, uint64_t result);
  bool wait(Exit& exit, uint64_t request);
  bool power(Exit& exit, uint64_t how);
  bool show(Exit& exit, const Exit& instead);

  Interrupts& interrupts_;
  ExitRecord& record_;
  const uint64_t time_of_day_;
  VirtioInterrupts virtio_;
  Notifications notifications_;
  Uart uart_;
  Cmos cmos_;
  std::unique_ptr<Clock> clock_;
  // The clock, by what it is; the others are null.
  ClockPage* page_ = nullptr;
  RealPage* real_ = nullptr;  // page_, where time is real
  Timers* timers_ = nullptr;
  /** What led to an exit that the controller sees instead; kPower: nothing, the guest is about to begin. */
  Exit cause_{ExitKind::kPower, 0, 0, 0};
};

}  // namespace oneclock::kvm
