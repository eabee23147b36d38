// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <cstdint>

namespace oneclock::kvm {

/** Interrupt vectors that wait for the processor. A vector that is raised twice before it is taken counts once. */
class Interrupts {
 public:
  void raise(uint8_t vector) { words_[vector / 64].fetch_or(bit(vector)); }
  /** Somebody else may raise one meanwhile, but only the guest's thread takes one away. */
  void lower(uint8_t vector) { words_[vector / 64].fetch_and(~bit(vector)); }
  /** The highest, which by the architecture is the most urgent; -1 where there is none. */
  int top() const {
    for (int i = 3; i >= 0; i--) {
      uint64_t word = words_[i].load();
      if (word != 0) return i * 64 + 63 - __builtin_clzll(word);
    }
    return -1;
  }

 private:
  static uint64_t bit(uint8_t vector) { return uint64_t{1} << (vector % 64); }

  std::atomic<uint64_t> words_[4]{};
};

}  // namespace oneclock::kvm
