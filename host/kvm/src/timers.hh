// SPDX-License-Identifier: MIT
#pragma once
#include "clock.hh"
#include "interrupts.hh"
#include "pit.hh"
#include "pm_timer.hh"

namespace oneclock::kvm {

/**
 * Time by the timers of a PC, for a kernel that knows nothing of virtual time. It passes while the guest halts, and a
 * little at each look at a timer: else one that waits in a loop would wait for ever.
 */
class Timers : public Clock {
 public:
  /** What a look costs, in ns: no less than a tick of the fastest timer, so that each sees another value. */
  static constexpr uint64_t kLook = 280;

  explicit Timers(Interrupts& interrupts) : interrupts_(interrupts) {}

  /** Of a port whose reading is a look. */
  static bool owns(uint64_t port) { return Pit::owns(port) || port == PmTimer::kPort; }
  uint64_t read(uint64_t port) { return Pit::owns(port) ? pit_.read(port, now()) : PmTimer::read(now()); }
  void write(uint64_t port, uint8_t value) {
    if (Pit::owns(port)) pit_.write(port, value, now());
  }

  uint64_t request() const override { return interrupts_.pic.open(kLine) ? pit_.next() : kNever; }

 protected:
  void show() override {
    if (pit_.pass(now())) interrupts_.raise_line(kLine);
  }

 private:
  static constexpr unsigned kLine = 0;

  Interrupts& interrupts_;
  Pit pit_;
};

}  // namespace oneclock::kvm
