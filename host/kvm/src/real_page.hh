// SPDX-License-Identifier: MIT
#pragma once
#include "clock_page.hh"
#include "real_time.hh"

namespace oneclock::kvm {

/** The clock page of a guest whose time goes by itself: ONECLOCK_HC_FEATURE_REAL. The page is as of the last exit. */
class RealPage : public ClockPage {
 public:
  RealPage(const GuestMemory& memory, Interrupts& interrupts, uint64_t time_of_day, uint32_t features)
      : ClockPage(memory, interrupts, time_of_day, features | ONECLOCK_HC_FEATURE_REAL) {}

  /** For any thread. */
  RealTime& time() { return time_; }

  std::optional<Exit> start(uint64_t frame) override {
    auto fault = ClockPage::start(frame);
    if (fault || !page() || page()->ret != 0 || has(ONECLOCK_HC_FEATURE_REAL)) return fault;
    return breach(Breach::kNotReal);
  }

  std::optional<Exit> follow() override {
    auto fault = ClockPage::follow();
    if (!fault) reach(time_.now());
    return fault;
  }
  void wake(uint64_t) override { reach(time_.now()); }

 private:
  RealTime time_;
};

}  // namespace oneclock::kvm
