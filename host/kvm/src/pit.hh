// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace oneclock::kvm {

/** The 8254 timer of a PC, in virtual time. Gates are open, counting is binary, and the read-back command is not there. */
class Pit {
 public:
  static bool owns(uint64_t port) { return (port & ~uint64_t{3}) == 0x40; }
  /** @param now in nanoseconds */
  uint8_t read(uint64_t port, uint64_t now);
  void write(uint64_t port, uint8_t value, uint64_t now);

  /** When channel 0 is to interrupt next; kNever where it is not. */
  uint64_t next() const;
  /** True where it has interrupted since it was asked last. */
  bool pass(uint64_t now);

 private:
  struct Counter {
    uint64_t start = 0;   // when it was loaded
    uint64_t rounds = 0;  // how often it has come to its end
    uint32_t count = 0;   // from which it goes down; 0: not loaded
    uint16_t latch = 0;
    uint8_t mode = 0;
    uint8_t bytes = 3;    // that are accessed: 1 the lower, 2 the upper, 3 both in turn
    uint8_t low = 0;      // written, and waits for the upper
    bool latched = false;
    bool upper_read = false;
    bool upper_written = false;

    bool periodic() const { return (mode & 2) != 0; }
    /** Modes 1 and 5, which begin with an edge that never comes. */
    bool waits_for_gate() const { return (mode & 3) == 1; }
    uint16_t value(uint64_t now) const;
    void control(uint8_t word, uint64_t now);
    void write(uint8_t byte, uint64_t now);
    uint8_t read(uint64_t now);
  };

  Counter counters_[3];
};

}  // namespace oneclock::kvm
