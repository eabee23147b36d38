// SPDX-License-Identifier: MIT
#pragma once
#include <time.h>

#include <cstdint>
#include <limits>
#include <mutex>

namespace oneclock::kvm {

/** Of this machine, in nanoseconds. */
inline uint64_t monotonic() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

/** CLOCK_MONOTONIC from 0, less the time for which it was frozen, as it is at first. For any thread. */
class RealTime {
 public:
  static constexpr uint64_t kLast = std::numeric_limits<int64_t>::max();

  uint64_t now() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return frozen_ ? stopped_ : monotonic() - origin_;
  }

  void freeze() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!frozen_) stopped_ = monotonic() - origin_;
    frozen_ = true;
  }

  void thaw() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (frozen_) origin_ = monotonic() - stopped_;
    frozen_ = false;
  }

  /** What CLOCK_MONOTONIC will be at `instant`, unless it is frozen before. Only while it is not. */
  uint64_t monotonic_at(uint64_t instant) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return instant > kLast - origin_ ? kLast : origin_ + instant;
  }

 private:
  mutable std::mutex mutex_;
  bool frozen_ = true;
  uint64_t stopped_ = 0;  // frozen: what now() is
  uint64_t origin_ = 0;   // else: when now() was 0
};

}  // namespace oneclock::kvm
