// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace oneclock {

/**
 * Memory shared with another process. The other side may cut the file short at any moment; a touch beyond its
 * end would be a SIGBUS that ends the controller. A handler puts zero pages there instead, and the mapping says
 * that it is no longer intact.
 */
class Mapping {
 public:
  static constexpr size_t kMaxMappings = 16384;

  /** Maps `length` bytes at `offset` of `fd`; throws where the file is shorter. */
  Mapping(int fd, uint64_t offset, size_t length);
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { unmap(); }

  uint8_t* bytes() const { return bytes_; }
  size_t length() const { return length_; }
  bool intact() const;
  /** Safe to call twice. */
  void unmap();

 private:
  uint8_t* base_ = nullptr;
  uint8_t* bytes_ = nullptr;
  size_t mapped_ = 0;
  size_t length_ = 0;
  size_t slot_ = 0;
};

/**
 * Lets go of the pages of all mappings that were touched: the memory stays what it is, with the other side, and
 * does not count as this process's until it is touched again.
 */
void trim_mappings();

/** A new anonymous file of `length` zero bytes that nobody can shrink. */
int create_shared_memory(size_t length);

}  // namespace oneclock
