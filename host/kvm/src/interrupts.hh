// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <cstdint>

#include "pic.hh"

namespace oneclock::kvm {

/**
 * What the processor is to be interrupted by: vectors that are raised by their numbers, then those of the interrupt
 * controller. A vector that is raised twice before it is taken counts once.
 */
class Interrupts {
 public:
  Pic pic;

  /** From any thread, as opposed to all else here. */
  void raise(uint8_t vector) {
    words_[vector / 64].fetch_or(bit(vector));
    fresh_ = true;
  }
  bool waits(uint8_t vector) const { return (words_[vector / 64].load() & bit(vector)) != 0; }

  void raise_line(unsigned line) {
    pic.raise(line);
    fresh_ = true;
  }

  /** The vector to be taken next; -1 where there is none. */
  int next() const {
    int vector = top();
    return vector >= 0 ? vector : pic.pending();
  }
  /** The processor has taken what next() gave. */
  void take(uint8_t vector) {
    uint64_t before = words_[vector / 64].fetch_and(~bit(vector));
    if ((before & bit(vector)) == 0) pic.acknowledge();
  }

  /** True where an interrupt waits that was raised since the last settle(). */
  bool fresh() const { return fresh_ && next() >= 0; }
  void settle() { fresh_ = false; }

 private:
  static uint64_t bit(uint8_t vector) { return uint64_t{1} << (vector % 64); }

  /** The highest, which by the architecture is the most urgent. */
  int top() const {
    for (int i = 3; i >= 0; i--) {
      uint64_t word = words_[i].load();
      if (word != 0) return i * 64 + 63 - __builtin_clzll(word);
    }
    return -1;
  }

  std::atomic<uint64_t> words_[4]{};
  std::atomic<bool> fresh_{false};
};

}  // namespace oneclock::kvm
