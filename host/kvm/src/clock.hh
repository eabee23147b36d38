// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include "exit.hh"
#include "protocols/hypercall/hypercall.h"

namespace oneclock::kvm {

constexpr uint64_t kNever = ONECLOCK_HC_NO_REQUEST;
constexpr uint64_t kLastInstant = ~uint64_t{0} >> 1;

/** A guest's virtual time, in nanoseconds, and the timer that goes by it. For the thread whose turn it is. */
class Clock {
 public:
  virtual ~Clock() = default;

  uint64_t now() const { return now_; }
  uint64_t free_until() const { return free_until_; }

  /** The guest has stopped: takes in how far it has moved its time by itself. A Breach where it may not. */
  virtual std::optional<Exit> follow() { return std::nullopt; }
  /** When the timer is to interrupt; kNever where it is not, or nothing would come of it. */
  virtual uint64_t request() const = 0;

  /** It is `instant`, or later where the guest has got there already. The timer raises what is due. */
  void reach(uint64_t instant) {
    now_ = std::max(now_, instant);
    show();
  }
  /** A guest that waits goes on; the controller says that it is `instant`. */
  virtual void wake(uint64_t instant) { reach(instant); }
  /** The guest may move its time to instants before this one. */
  void allow(uint64_t instant) {
    free_until_ = instant;
    show_limit();
  }

 protected:
  /** The timer sees now(). */
  virtual void show() = 0;
  virtual void show_limit() {}
  void moved(uint64_t instant) { now_ = instant; }

 private:
  uint64_t now_ = 0;
  uint64_t free_until_ = 0;
};

}  // namespace oneclock::kvm
