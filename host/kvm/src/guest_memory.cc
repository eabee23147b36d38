// SPDX-License-Identifier: MIT
#include "guest_memory.hh"

#include <sys/mman.h>
#include <sys/stat.h>

#include "descriptor.hh"
#include "long_mode.hh"

namespace oneclock::kvm {

GuestMemory::GuestMemory(int fd, size_t length) : length_(length) {
  struct stat status {};
  check(fstat(fd, &status), "fstat");
  if (length < kMinMemory || length > kMaxMemory || length % 4096 != 0 ||
      static_cast<uint64_t>(status.st_size) < length) {
    errno = EINVAL;
    fail("a guest memory of " + std::to_string(length) + " bytes");
  }
  void* mapped = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (mapped == MAP_FAILED) fail("mmap");
  bytes_ = static_cast<uint8_t*>(mapped);
}

GuestMemory::~GuestMemory() { munmap(bytes_, length_); }

}  // namespace oneclock::kvm
