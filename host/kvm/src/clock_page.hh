// SPDX-License-Identifier: MIT
#pragma once
#include "clock.hh"
#include "guest_memory.hh"
#include "interrupts.hh"

namespace oneclock::kvm {

/** Time in a page of the guest: protocols/hypercall/hypercall.h. */
class ClockPage : public Clock {
 public:
  /** What the host offers of ONECLOCK_HC_FEATURE_*. */
  ClockPage(const GuestMemory& memory, Interrupts& interrupts, uint64_t time_of_day, uint32_t features)
      : memory_(memory), interrupts_(interrupts), time_of_day_(time_of_day), offered_(features) {}

  /** START. A Breach where the guest names no page that it may. */
  virtual std::optional<Exit> start(uint64_t frame);

  /** Null before START. The guest may have written anything to it. */
  oneclock_hc_page* page() const { return page_; }
  /** Where page() is in the guest's memory. */
  uint64_t address() const { return page_ ? frame_ * ONECLOCK_HC_PAGE_BYTES : kNoPage; }
  bool has(uint32_t feature) const { return (features_ & feature) != 0; }

  std::optional<Exit> follow() override;
  uint64_t request() const override;

 protected:
  void show() override;
  void show_limit() override;

 private:
  const GuestMemory& memory_;
  Interrupts& interrupts_;
  const uint64_t time_of_day_;
  const uint32_t offered_;
  oneclock_hc_page* page_ = nullptr;
  uint64_t frame_ = 0;
  uint32_t features_ = 0;
  uint8_t vector_ = 0;
};

}  // namespace oneclock::kvm
