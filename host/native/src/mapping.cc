// SPDX-License-Identifier: MIT
#include "mapping.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <mutex>

#include "descriptor.hh"

namespace oneclock {

namespace {

/** What the signal handler may look at: plain atomics in a table of fixed size. */
struct Slot {
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  std::atomic<bool> lost{false};
};

Slot slots[Mapping::kMaxMappings];
std::mutex slots_mutex;  // taken to claim and to free a slot, never by the handler
struct sigaction previous;
uintptr_t page_size;

void on_bus_error(int signal, siginfo_t* info, void* context) {
  auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Slot& slot : slots) {
    uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= slot.end.load(std::memory_order_acquire)) continue;
    slot.lost.store(true, std::memory_order_release);
    void* page = reinterpret_cast<void*>(address & ~(page_size - 1));
    if (mmap(page, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
      return;
  }
  // Not ours: back to whoever was there before, who sees the same fault again.
  sigaction(signal, &previous, nullptr);
  if (previous.sa_flags & SA_SIGINFO && previous.sa_sigaction) previous.sa_sigaction(signal, info, context);
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGBUS, &action, &previous), "sigaction");
  });
}

size_t claim_slot(uint8_t* begin, size_t length) {
  std::lock_guard<std::mutex> lock(slots_mutex);
  for (size_t i = 0; i < Mapping::kMaxMappings; i++) {
    if (slots[i].begin.load(std::memory_order_relaxed) != 0) continue;
    slots[i].lost.store(false, std::memory_order_relaxed);
    slots[i].end.store(reinterpret_cast<uintptr_t>(begin) + length, std::memory_order_release);
    slots[i].begin.store(reinterpret_cast<uintptr_t>(begin), std::memory_order_release);
    return i;
  }
  errno = ENOMEM;
  fail("more than " + std::to_string(Mapping::kMaxMappings) + " shared memories");
}

}  // namespace

Mapping::Mapping(int fd, uint64_t offset, size_t length) : length_(length) {
  install_handler();
  struct stat status {};
  check(fstat(fd, &status), "fstat");
  auto size = static_cast<uint64_t>(status.st_size);
  if (length == 0 || offset > size || length > size - offset) {
    errno = EINVAL;
    fail("a shared memory of " + std::to_string(length) + " bytes at " + std::to_string(offset) + " in a file of " +
         std::to_string(size));
  }
  uint64_t skip = offset & (page_size - 1);
  mapped_ = length + skip;
  void* base =
      mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, static_cast<off_t>(offset - skip));
  if (base == MAP_FAILED) fail("mmap");
  base_ = static_cast<uint8_t*>(base);
  bytes_ = base_ + skip;
  try {
    slot_ = claim_slot(base_, mapped_);
  } catch (...) {
    munmap(base_, mapped_);
    throw;
  }
}

bool Mapping::intact() const { return base_ != nullptr && !slots[slot_].lost.load(std::memory_order_acquire); }

void Mapping::unmap() {
  if (base_ == nullptr) return;
  std::lock_guard<std::mutex> lock(slots_mutex);
  munmap(base_, mapped_);
  base_ = bytes_ = nullptr;
  slots[slot_].begin.store(0, std::memory_order_release);
}

void trim_mappings() {
  std::lock_guard<std::mutex> lock(slots_mutex);
  for (Slot& slot : slots) {
    uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    if (begin == 0) continue;
    // Advice: where it is not taken, nothing is lost.
    madvise(reinterpret_cast<void*>(begin), slot.end.load(std::memory_order_acquire) - begin, MADV_DONTNEED);
  }
}

int create_shared_memory(size_t length) {
  Descriptor fd(check(memfd_create("oneclock", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create"));
  check(ftruncate(fd.get(), static_cast<off_t>(length)), "ftruncate");
  check(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), "seal");
  return fd.release();
}

}  // namespace oneclock
