// SPDX-License-Identifier: MIT
#include "clock_page.hh"

#include <cstddef>

namespace oneclock::kvm {

namespace {

constexpr unsigned kTimerLine = 0;

}  // namespace

std::optional<Exit> ClockPage::start(uint64_t frame) {
  uint64_t frames = memory_.length() / ONECLOCK_HC_PAGE_BYTES;
  if (frame >= frames) return breach(Breach::kFrame, frame, frames);
  if (page_ && frame != frame_) return breach(Breach::kOtherPage, frame, frame_);
  auto* page = reinterpret_cast<oneclock_hc_page*>(memory_.bytes() + frame * ONECLOCK_HC_PAGE_BYTES);
  if (page->version != ONECLOCK_HC_VERSION) {
    page->version = ONECLOCK_HC_VERSION;
    page->ret = -ONECLOCK_HC_E_VERSION;
    return std::nullopt;
  }
  uint32_t vector = page->vector;
  if (vector != 0 && (vector < ONECLOCK_HC_VECTOR_MIN || vector > ONECLOCK_HC_VECTOR_MAX))
    return breach(Breach::kVector, vector);
  page_ = page;
  frame_ = frame;
  vector_ = static_cast<uint8_t>(vector);
  features_ = page->features & offered_;
  page->features = features_;
  page->tod = time_of_day_;
  page->ret = 0;
  page->now = now();
  page->free_until = free_until();
  return std::nullopt;
}

std::optional<Exit> ClockPage::follow() {
  if (!page_) return std::nullopt;
  uint64_t found = page_->now;
  if (found == now()) return std::nullopt;
  if (found < now()) return breach(Breach::kTimeBack, found, now());
  if (found >= free_until()) return breach(Breach::kTimeAhead, found, free_until());
  moved(found);
  return std::nullopt;
}

uint64_t ClockPage::request() const {
  if (!page_) return kNever;
  uint64_t wanted = page_->req;
  return wanted > kLastInstant ? kNever : wanted;
}

void ClockPage::show() {
  if (!page_) return;
  page_->now = now();
  if (request() > now()) return;
  page_->req = ONECLOCK_HC_NO_REQUEST;
  if (vector_ != 0)
    interrupts_.raise(vector_);
  else
    interrupts_.raise_line(kTimerLine);
}

void ClockPage::show_limit() {
  if (page_) page_->free_until = free_until();
}

}  // namespace oneclock::kvm
